"""Trained models as teachers: what they answer is a part of what a photo's count is taught as (distillation).

A label says 3 where a good model says "3, perhaps 4": nearer to the truth where items hide each other, and where the
label is wrong, as some are. Source: Hinton, Vinyals and Dean, Distilling the Knowledge in a Neural Network (2015).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from steps.common.artifact import ArtifactError, open_artifact
from steps.common.files import sha256
from steps.common.job import JobError
from steps.common.labels import CLASS_LABELS
from steps.common.predictor import Predictor
from steps.train.data import Photos, batches
from steps.train.ddp import Cluster
from steps.train.progress import say

CHANNELS = "teacher_*"  # each holds one artifact
BATCH = 32


def artifacts(channels: Path) -> list[Path]:
    """Return the teachers' artifacts: one in each channel of a teacher.

    Raises:
        JobError: such a channel holds none, or several files.
    """
    found = []
    for folder in sorted(channels.glob(CHANNELS)):
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        if len(files) != 1:
            raise JobError(f"the channel {folder.name} needs one model.tar.gz, found {len(files)} files")
        found.append(files[0])
    return found


def digests(artifacts: list[Path]) -> list[str]:
    """Return the SHA-256 of each."""
    return [sha256(path) for path in artifacts]


def ask(artifacts: list[Path], photos: Photos, cluster: Cluster, pool: ThreadPoolExecutor) -> torch.Tensor:
    """Have the teachers answer all photos, which the ranks share among them.

    Args:
        artifacts: the teachers, at least one.
        photos: to train on; the teachers see them without augmentation, at their own size.
        cluster: this process among the others.
        pool: of decoding threads.

    Returns:
        The mean of the calibrated probabilities: float32 [photos, classes]; a photo of a count that is not served has
        zeros.

    Raises:
        JobError: no artifact of ours, or of other counts.
    """
    served = photos.classes.served
    inside = np.flatnonzero((photos.targets >= served.start) & (photos.targets < served.stop))
    mine = inside[cluster.rank :: cluster.world]
    answers = torch.zeros(len(photos.shards), photos.classes.number)
    for path in artifacts:
        try:
            answers[torch.from_numpy(mine), served] += torch.from_numpy(_answers(path, photos, mine, pool))
        except ArtifactError as error:
            raise JobError(f"the teacher {path.parent.name}: {error}") from None
    if cluster.leads:
        say(f"teachers: {len(artifacts)} model(s) answered {len(inside)} photos")
    return cluster.sum(answers) / len(artifacts)


def _answers(
    path: Path, photos: Photos, indices: npt.NDArray[np.int64], pool: ThreadPoolExecutor
) -> npt.NDArray[np.float32]:
    with open_artifact(path) as folder:
        teacher = Predictor(folder, threads=torch.get_num_threads())
    if teacher.spec.class_labels != CLASS_LABELS:
        raise ArtifactError(f"it counts {', '.join(teacher.spec.class_labels)}")
    seen = replace(photos, size=teacher.spec.image_size, strength=0.0)
    parts = [indices[first : first + BATCH] for first in range(0, len(indices), BATCH)]
    answers = [teacher.probabilities(batch.photos.numpy()) for batch in batches(seen, parts, 0, pool)]
    return np.concatenate([np.zeros((0, len(CLASS_LABELS))), *answers]).astype(np.float32)
