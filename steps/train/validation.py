"""Validation: each photo once over all ranks, the scores from all of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from steps.common import metrics
from steps.common.decision import NEAR_CREDIT, decide, softmax
from steps.common.labels import CLASSES
from steps.train.calibration import fit
from steps.train.data import Photos, batches
from steps.train.ddp import Cluster
from steps.train.sampler import shard
from steps.train.selection import ask_below

Logits = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Scores:
    """Of the whole validation set, the same on every rank, and of its answers as they are served, calibrated.

    Loss is the cross-entropy, nats a photo.
    """

    loss: float
    accuracy: float
    macro_f1: float
    mae: float
    coverage: float  # share of the photos that no person is asked about
    temperature: float
    class_bias: tuple[float, ...]
    ask_below: float


def validate(
    forward: Callable[[torch.Tensor], torch.Tensor],
    photos: Photos,
    batch: int,
    cluster: Cluster,
    pool: ThreadPoolExecutor,
    target_accuracy: float,
) -> Scores:
    """Score a model.

    Args:
        forward: uint8 photos [n, size, size, 3] on the device to logits [n, classes].
        photos: the validation channel.
        batch: photos a step and rank.
        cluster: who shares the work.
        pool: decodes.
        target_accuracy: of the answers that stand without a person.
    """
    parts, seen = [np.zeros((0, CLASSES), np.float32)], [np.zeros(0, np.int64)]
    with torch.inference_mode():
        for part in batches(photos, shard(len(photos.shards), batch, cluster.rank, cluster.world), 0, pool):
            parts.append(forward(part.photos.to(cluster.device)).float().cpu().numpy())
            seen.append(part.indices)
    # Gathered by photo, not added up by rank: the scores then do not depend on the number of ranks.
    indices = np.concatenate(cluster.gather(np.concatenate(seen)))
    logits = np.concatenate(cluster.gather(np.concatenate(parts)))
    # From one rank: other processors round otherwise, and ranks that differ about the best epoch would wait for ever.
    scores = score(logits[np.argsort(indices)], photos.targets, target_accuracy) if cluster.leads else None
    content = cluster.broadcast_bytes(json.dumps(asdict(scores)).encode() if scores else None)
    values = json.loads(content or b"")
    return Scores(**values | {"class_bias": tuple(values["class_bias"])})


def score(logits: Logits, targets: npt.NDArray[np.int64], target_accuracy: float) -> Scores:
    """Calibrate logits [n, classes] on the photos' class indices [n], and score them."""
    calibration = fit(logits, targets)
    calibrated = calibration.apply(logits)
    predicted, confidence = decide(probabilities(calibrated), NEAR_CREDIT)
    threshold = ask_below(confidence, predicted == targets, target_accuracy)
    matrix = metrics.confusion_matrix(targets, predicted, CLASSES)
    return Scores(
        loss=cross_entropy(calibrated, targets),
        accuracy=metrics.accuracy(matrix),
        macro_f1=metrics.macro_f1(matrix),
        mae=metrics.mean_absolute_error(matrix),
        coverage=float((confidence >= threshold).mean()),
        temperature=calibration.temperature,
        class_bias=calibration.class_bias,
        ask_below=threshold,
    )


def probabilities(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the softmax of logits [n, classes]; zeros where one is no number, so that nothing is sure."""
    return softmax(logits) if np.isfinite(logits).all() else np.zeros_like(logits)


def cross_entropy(logits: npt.NDArray[Any], targets: npt.NDArray[np.int64]) -> float:
    """Return the mean negative log-likelihood, nats a photo."""
    wide = logits.astype(np.float64)
    top = wide.max(axis=1)
    log_sums = top + np.log(np.exp(wide - top[:, None]).sum(axis=1))
    return float((log_sums - wide[np.arange(len(wide)), targets]).mean())
