"""Whether the calibration error is as low as asked for, and how much of it is the luck of the test photos.

The error is a sum of absolute gaps: on so many photos even a confidence that could not be better is off by something.
How much that is, is found by drawing which answers are right from the confidences themselves.

Source: Bröcker and Smith, "Increasing the Reliability of Reliability Diagrams", Weather and Forecasting 2007
(consistency resampling); Vaicenavicius et al., "Evaluating model calibration in classification", AISTATS 2019.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from steps.common.metrics import Floats
from steps.evaluate.tally import BINS, bin_of, calibration, expected_calibration_error

LIMIT = 0.03  # of the expected calibration error: a confidence off by more misleads who decides by it
DRAWS = 200


def calibration_check(confidence: Floats, tally: Floats, seed: int) -> dict[str, Any]:
    """Compare a model's calibration error with the limit, and with what a perfect confidence would have.

    Args:
        confidence: of each answer [n], 0 to 1.
        tally: of all photos together, see `steps.evaluate.tally`.
        seed: of the draws.

    Returns:
        `limit`; `held`; `by_chance`, the mean and the 95th percentile of the error of a perfectly calibrated model with
        these confidences on as many photos.
    """
    photos, _, confidences = calibration(tally)
    bins, random = bin_of(confidence), np.random.default_rng(seed)
    errors = []
    for _ in range(DRAWS):
        correct = np.bincount(bins, random.random(len(confidence)) < confidence, minlength=BINS)
        errors.append(expected_calibration_error(np.stack([photos, correct, confidences])))
    return {
        "limit": LIMIT,
        "held": expected_calibration_error(calibration(tally)) <= LIMIT,
        "by_chance": {"mean": float(np.mean(errors)), "upper": float(np.quantile(errors, 0.95))},
    }
