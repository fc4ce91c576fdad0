"""All that the figures need, as sums over photos, so that a bootstrap replicate is one weighted sum.

A tally is a row of classes * classes + 3 * BINS + 3 numbers: the confusion matrix (row by row, true class first), then
for each confidence bin its photos, its correct answers and the sum of its confidences, then the photos about which no
person is asked, how many of them are counted exactly and how many with an error of at most one item.
"""

from __future__ import annotations

import numpy as np

from steps.common.decision import decide
from steps.common.metrics import (
    Floats,
    Matrix,
    accuracy,
    macro,
    macro_f1,
    mean_absolute_error,
    per_class,
    root_mean_squared_error,
    within_one,
)
from steps.evaluate.inference import Integers

BINS = 15
BESIDE = 3 * BINS + 3  # the columns that are not of the confusion matrix


def tally_groups(
    true: Integers, probabilities: Floats, groups: Integers, ask_below: float, near_credit: float = 0.0
) -> Floats:
    """Return one tally for each group: float64 [groups, classes * classes + BESIDE].

    Args:
        true: class indices [n].
        probabilities: [n, classes], rows adding up to 1.
        groups: group numbers [n], from 0 on without gaps.
        ask_below: the confidence below which a person is asked.
        near_credit: see `steps.common.decision`.
    """
    classes = probabilities.shape[1]
    predicted, confidence = decide(probabilities, near_credit)
    width = classes * classes + BESIDE
    first = classes * classes + bin_of(confidence)
    error, stands, end = np.abs(predicted - true), confidence >= ask_below, np.full_like(true, width)
    entries = (
        (true * classes + predicted, np.ones_like(confidence)),
        (first, np.ones_like(confidence)),
        (first + BINS, (true == predicted).astype(np.float64)),
        (first + 2 * BINS, confidence),
        (end - 3, stands.astype(np.float64)),
        (end - 2, (stands & (error == 0)).astype(np.float64)),
        (end - 1, (stands & (error <= 1)).astype(np.float64)),
    )
    size = (int(groups.max()) + 1) * width
    sums = sum(np.bincount(groups * width + column, weight, minlength=size) for column, weight in entries)
    return np.asarray(sums, dtype=np.float64).reshape(-1, width)


def bin_of(confidence: Floats) -> Integers:
    """Return each confidence's bin [n], of equal widths, closed on the right: m holds (m / BINS, (m + 1) / BINS]."""
    return np.asarray(np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1), dtype=np.int64)


def confusion(tally: Floats) -> Matrix:
    """Return a tally's confusion matrix: int64 [classes, classes]."""
    cells = tally[:-BESIDE]
    side = round(len(cells) ** 0.5)
    return np.rint(cells).astype(np.int64).reshape(side, side)


def calibration(tally: Floats) -> Floats:
    """Return photos, correct answers and summed confidence of each bin: float64 [3, BINS]."""
    return tally[-BESIDE:-3].reshape(3, BINS)


def expected_calibration_error(bins: Floats) -> float:
    """Mean over photos of |share correct - mean confidence| of the photo's confidence bin, 0 to 1.

    Source: Naeini, Cooper, Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning", AAAI 2015;
    with 15 bins of equal width as in Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, equation 3.
    """
    photos, correct, confidence = bins
    total = photos.sum()
    return float(np.abs(correct - confidence).sum() / total) if total else 0.0


def figures(tally: Floats) -> dict[str, float]:
    """Return the figures of a tally under their names in evaluation.json: errors in items, all others 0 to 1."""
    matrix = confusion(tally)
    means = macro(matrix)
    return {
        **_model_monitor(matrix),
        "macro_f1": means["f1"],
        "macro_precision": means["precision"],
        "macro_recall": means["recall"],
        "mae": mean_absolute_error(matrix),
        "rmse": root_mean_squared_error(matrix),
        "within_one_accuracy": within_one(matrix),
        "expected_calibration_error": expected_calibration_error(calibration(tally)),
        **_selective(tally),
        "macro_f1_best_constant_classifier": macro_f1(always_majority(matrix)),
    }


def _selective(tally: Floats) -> dict[str, float]:
    """Return the share of the photos about which no person is asked, and the scores of their answers; 0 without any."""
    photos = tally[:-BESIDE].sum()
    stand, exact, close = tally[-3:]
    return {
        "coverage": float(stand / photos) if photos else 0.0,
        "selective_accuracy": float(exact / stand) if stand else 0.0,
        "selective_within_one_accuracy": float(close / stand) if stand else 0.0,
    }


def always_majority(matrix: Matrix) -> Matrix:
    """Return the confusion matrix of one who always answers with the most frequent true class."""
    constant = np.zeros_like(matrix)
    support = matrix.sum(axis=1)
    constant[:, int(support.argmax())] = support
    return constant


def _model_monitor(matrix: Matrix) -> dict[str, float]:
    """Return what SageMaker Model Monitor computes for a multiclass problem, under its names.

    Source: "Model quality metrics and Amazon CloudWatch monitoring", SageMaker Developer Guide. The figures for the
    best constant classifier in its example follow from the rarer of two classes; here it is the most frequent one.
    """
    constant = always_majority(matrix)
    return {
        **_weighted(matrix),
        **{f"{name}_best_constant_classifier": value for name, value in _weighted(constant).items()},
    }


def _weighted(matrix: Matrix) -> dict[str, float]:
    """Means over classes, weighted by their true photos.

    F-beta = (1 + beta^2) hits / (beta^2 true + predicted) and 0 where undefined, as scikit-learn's fbeta_score.
    """
    hits = np.diag(matrix).astype(np.float64)
    predicted, true = matrix.sum(axis=0), matrix.sum(axis=1)
    share = true / max(int(true.sum()), 1)
    scores = per_class(matrix)

    def f_beta(beta: float) -> float:
        below = beta**2 * true + predicted
        return float(share @ ((1 + beta**2) * hits / np.where(below > 0, below, 1)))

    return {
        "accuracy": accuracy(matrix),
        "weighted_recall": float(share @ scores["recall"]),
        "weighted_precision": float(share @ scores["precision"]),
        "weighted_f0_5": f_beta(0.5),
        "weighted_f1": f_beta(1.0),
        "weighted_f2": f_beta(2.0),
    }
