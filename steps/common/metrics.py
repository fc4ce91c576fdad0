"""Scores of a counter, from its confusion matrix, so that ranks and shards can simply be added up.

A confusion matrix has shape [classes, classes]; `matrix[true, predicted]` counts photos. Class index i is label i + 1.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


def confusion_matrix(true: npt.NDArray[np.int64], predicted: npt.NDArray[np.int64], classes: int) -> Matrix:
    """Count pairs of class indices (0 to classes - 1): int64, shape [classes, classes].

    Raises:
        ValueError: an index outside 0 to classes - 1, which would be counted in another cell.
    """
    for indices in (true, predicted):
        if indices.size and not 0 <= indices.min() <= indices.max() < classes:
            raise ValueError(f"a class index lies outside 0 to {classes - 1}")
    counts = np.bincount(true * classes + predicted, minlength=classes * classes)
    return np.asarray(counts, dtype=np.int64).reshape(classes, classes)


def accuracy(matrix: Matrix) -> float:
    """Share of photos counted exactly, 0 to 1."""
    return _ratio(np.trace(matrix), matrix.sum())


def per_class(matrix: Matrix) -> dict[str, Floats]:
    """Return `precision`, `recall` and `f1` of each class, 0 where undefined (as scikit-learn's zero_division=0)."""
    hits = np.diag(matrix).astype(np.float64)
    predicted, true = matrix.sum(axis=0), matrix.sum(axis=1)
    return {
        "precision": hits / np.maximum(predicted, 1),
        "recall": hits / np.maximum(true, 1),
        "f1": 2 * hits / np.maximum(predicted + true, 1),
    }


def macro(matrix: Matrix) -> dict[str, float]:
    """Unweighted means of `per_class` over the classes that occur among the true labels or the answers, 0 to 1.

    A class that occurs in neither has no score to average, as in scikit-learn's and torchmetrics' macro averages.
    """
    occurs = matrix.sum(axis=0) + matrix.sum(axis=1) > 0
    return {name: float(values[occurs].mean()) if occurs.any() else 0.0 for name, values in per_class(matrix).items()}


def macro_f1(matrix: Matrix) -> float:
    """Macro-F1, the gate's figure, 0 to 1 (see `macro`)."""
    return macro(matrix)["f1"]


def mean_absolute_error(matrix: Matrix) -> float:
    """Mean of |predicted - true| in items."""
    return _ratio((matrix * _distances(matrix)).sum(), matrix.sum())


def root_mean_squared_error(matrix: Matrix) -> float:
    """Root of the mean of (predicted - true) squared, in items."""
    return float(np.sqrt(_ratio((matrix * _distances(matrix) ** 2).sum(), matrix.sum())))


def within_one(matrix: Matrix) -> float:
    """Share of photos counted with an error of at most one item, 0 to 1."""
    return _ratio(matrix[_distances(matrix) <= 1].sum(), matrix.sum())


def _distances(matrix: Matrix) -> Matrix:
    index = np.arange(len(matrix))
    return np.asarray(np.abs(index[:, None] - index[None, :]), dtype=np.int64)


def _ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else 0.0
