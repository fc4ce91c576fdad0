"""Validation: each photo once over all ranks, the scores from all of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from steps.common import metrics
from steps.common.labels import CLASSES
from steps.train.data import Photos, batches
from steps.train.ddp import Cluster
from steps.train.sampler import shard
from steps.train.selection import ask_below

Logits = npt.NDArray[np.float32]
SCALES = (0.05, 20.0)  # temperatures outside are no calibration but a fault
GOLDEN = (5**0.5 - 1) / 2


@dataclass(frozen=True)
class Scores:
    """Of the whole validation set, the same on every rank. Loss is the plain cross-entropy, nats a photo."""

    loss: float
    accuracy: float
    macro_f1: float
    mae: float
    coverage: float  # share of the photos that no person is asked about
    temperature: float
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
    return score(logits[np.argsort(indices)], photos.targets, target_accuracy)


def score(logits: Logits, targets: npt.NDArray[np.int64], target_accuracy: float) -> Scores:
    """Score logits [n, classes] of photos with these class indices [n]."""
    temperature, predicted = fit_temperature(logits, targets), logits.argmax(axis=1).astype(np.int64)
    confidence = confidences(logits / temperature)
    threshold = ask_below(confidence, predicted == targets, target_accuracy)
    matrix = metrics.confusion_matrix(targets, predicted, CLASSES)
    return Scores(
        loss=cross_entropy(logits, targets),
        accuracy=metrics.accuracy(matrix),
        macro_f1=metrics.macro_f1(matrix),
        mae=metrics.mean_absolute_error(matrix),
        coverage=float((confidence >= threshold).mean()),
        temperature=temperature,
        ask_below=threshold,
    )


def confidences(logits: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return the highest probability of each softmax of logits [n, classes], 0 where one is no number."""
    wide = logits.astype(np.float64)
    if not np.isfinite(wide).all():
        return np.zeros(len(wide))
    return np.asarray(1 / np.exp(wide - wide.max(axis=1, keepdims=True)).sum(axis=1), dtype=np.float64)


def cross_entropy(logits: npt.NDArray[Any], targets: npt.NDArray[np.int64]) -> float:
    """Return the mean negative log-likelihood, nats a photo."""
    wide = logits.astype(np.float64)
    top = wide.max(axis=1)
    log_sums = top + np.log(np.exp(wide - top[:, None]).sum(axis=1))
    return float((log_sums - wide[np.arange(len(wide)), targets]).mean())


def fit_temperature(logits: npt.NDArray[Any], targets: npt.NDArray[np.int64]) -> float:
    """Return the temperature T for which softmax(logits / T) is most likely, 0.05 to 20.

    Source: Guo et al., On Calibration of Modern Neural Networks (2017). The likelihood has one minimum in 1 / T, which
    golden-section search on log T finds to 0.1 %.
    """
    if not np.isfinite(logits).all():
        return 1.0
    low, high = np.log(SCALES[0]), np.log(SCALES[1])

    def loss(log_temperature: float) -> float:
        return cross_entropy(logits / np.exp(log_temperature), targets)

    left, right = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_left, at_right = loss(left), loss(right)
    while high - low > 1e-3:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - GOLDEN * (high - low)
            at_left = loss(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + GOLDEN * (high - low)
            at_right = loss(right)
    return float(np.exp((low + high) / 2))
