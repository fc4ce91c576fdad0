"""What becomes of the scores when a person is asked about the photos that the model is least sure of.

Source: Geifman and El-Yaniv, "Selective Classification for Deep Neural Networks", NeurIPS 2017 (the risk-coverage
curve, here of accuracy instead of risk).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from steps.common.metrics import Floats
from steps.evaluate.inference import Integers

STEPS = 20  # points of the curve, 5 % of the photos apart


def coverage_curve(true: Integers, predicted: Integers, confidence: Floats) -> list[dict[str, Any]]:
    """Score the surest answers alone, for more and more of them.

    Args:
        true: class indices [n], n at least 1.
        predicted: class indices [n].
        confidence: of each answer [n], 0 to 1.

    Returns:
        Up to STEPS points, the surest first, all of the photos last. Each has `coverage`, the share of answers of
        `confidence` and more (those as sure as the last one are all in it), and `accuracy` and `within_one_accuracy` of
        these.
    """
    order = np.argsort(-confidence, kind="stable")
    ranked, error = confidence[order], np.abs(predicted - true)[order]
    exact, close = (error == 0).cumsum(), (error <= 1).cumsum()
    numbers = -(-np.arange(1, STEPS + 1) * len(true) // STEPS)  # rounded up
    ends = np.unique(np.searchsorted(-ranked, -ranked[numbers - 1], side="right"))
    return [
        {
            "coverage": float(end / len(true)),
            "confidence": float(ranked[end - 1]),
            "accuracy": float(exact[end - 1] / end),
            "within_one_accuracy": float(close[end - 1] / end),
        }
        for end in ends
    ]
