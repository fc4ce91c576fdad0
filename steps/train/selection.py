"""Selective prediction: from which confidence on an answer stands, and below which a person is asked.

Source: Geifman and El-Yaniv, "Selective Classification for Deep Neural Networks", NeurIPS 2017: answers are kept by
their highest probability, down to the threshold at which a bound on the risk still holds on photos that the model was
not fitted to. Their bound is the exact binomial one; here it is Wilson's, whose closed form needs no library (Wilson,
"Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927; for the lower bound alone).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from steps.common.artifact import NOTHING_IS_SURE

# One-sided 95 %: few answers, though all right, prove little, and the best-looking of all thresholds looks too good. In
# draws of 1,066 photos as sure as bins' are, the accuracy on others was below the target in 5 % of the draws; without a
# bound in 57 %, and by up to 9 points.
Z = 1.645


def ask_below(confidence: npt.NDArray[Any], correct: npt.NDArray[np.bool_], target: float) -> float:
    """Return the least confidence from which on the answers are right as often as asked for, surely.

    Args:
        confidence: of each answer [n], 0 to 1.
        correct: whether it is right [n].
        target: share of right answers, 0 to 1, that the lower bound over all answers of this confidence and more must
            reach.

    Returns:
        One of the confidences; NOTHING_IS_SURE, which no confidence reaches, where none of them will do.
    """
    order = np.argsort(-confidence, kind="stable")
    ranked = confidence[order]
    bound = lower_bound(correct[order].cumsum(), np.arange(1, len(order) + 1))
    last = np.append(ranked[1:] != ranked[:-1], True)[: len(order)]  # answers of one confidence stand or fall together
    reached = ranked[last & (bound >= target)]
    return float(reached[-1]) if len(reached) else NOTHING_IS_SURE


def lower_bound(right: npt.NDArray[Any], answers: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return Wilson's lower bound on the share of right answers, 0 to 1, for each pair of counts."""
    share = right / answers
    spread = Z * np.sqrt(share * (1 - share) / answers + Z**2 / (4 * answers**2))
    bound = (share + Z**2 / (2 * answers) - spread) / (1 + Z**2 / answers)
    return np.asarray(np.clip(bound, 0, 1), dtype=np.float64)


def in_words(threshold: float, coverage: float, target: float) -> str:
    """Return what the log says of a threshold and the share of validation photos at or above it."""
    if threshold >= NOTHING_IS_SURE:
        return f"no confidence is surely right {target:.0%} of the time on validation: every answer asks for a person"
    return (
        f"a person is asked below a confidence of {threshold:.3f}; {coverage:.1%} of the validation photos stand "
        f"without, surely right {target:.0%} of the time"
    )
