"""The count-aware training objective."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional


def soft_targets(sigma: float, classes: int) -> torch.Tensor:
    """Return the target distribution of each class: float32 [classes, classes], rows add up to 1.

    Row y is proportional to exp(-(k - y)^2 / (2 sigma^2)): a count that is nearly right is nearly as good. Source:
    Diaz and Marathe, Soft Labels for Ordinal Regression (CVPR 2019), with squared distances.

    Args:
        sigma: in items; 0 gives one-hot targets.
        classes: how many counts there are.
    """
    if not sigma:
        return torch.eye(classes)
    index = torch.arange(classes, dtype=torch.float64)
    distances = (index[:, None] - index[None, :]) ** 2
    return torch.softmax(-distances / (2 * sigma**2), dim=1).float()


def class_weights(labels: npt.NDArray[np.int64], balance: float, classes: int) -> torch.Tensor:
    """Return the weight of a photo of each class: float32 [classes]; the mean over the photos is 1.

    A weight is (photos / photos of the class) ^ balance, scaled. It is a photo's own, never averaged within a batch,
    so that several processes add up to what one would compute.

    Args:
        labels: class indices of the whole training set, 0 to classes - 1.
        balance: 0 (all 1) to 1 (each class adds up to the same).
        classes: how many there are.
    """
    counts = np.bincount(labels, minlength=classes).astype(np.float64)
    weights = np.where(counts > 0, (len(labels) / np.maximum(counts, 1)) ** balance, 0.0)
    return torch.from_numpy(weights * len(labels) / (weights * counts).sum()).float()


def blend(targets: torch.Tensor, answers: torch.Tensor, weight: float) -> torch.Tensor:
    """Return targets of which a share is what teachers answered: float32 [n, classes], rows add up to 1.

    Args:
        targets: of the photos, float32 [n, classes].
        answers: of `teachers.ask`; where a row is all zeros the target stays.
        weight: the teachers' share, 0 to 1.
    """
    known = answers.sum(dim=1, keepdim=True) > 0
    return torch.where(known, torch.lerp(targets, answers, weight), targets)


def loss_sum(logits: torch.Tensor, targets: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return the weighted cross-entropy to soft targets, summed over the batch: a float32 scalar.

    Args:
        logits: [n, classes], any precision.
        targets: of each photo, float32 [n, classes].
        weights: of each photo, float32 [n].
    """
    return (functional.cross_entropy(logits.float(), targets, reduction="none") * weights).sum()
