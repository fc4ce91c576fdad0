"""`baseline.json`: what the model's answers look like on the test set, for a comparison with those in production."""

from __future__ import annotations

from typing import Any

import numpy as np

from steps.evaluate.inference import Answers

BINS = 100
"""Of the histogram of confidences: fine enough for a reader to merge them into parts of about equal mass."""


def baseline(answers: Answers) -> dict[str, Any]:
    """Count the model's answers by class and by confidence.

    Returns:
        `photos`; `class_labels`; `predicted`, the answers of each class in that order; `confidences`, the answers in
        each of BINS bins of equal width over 0 to 1, closed on the right; `mean_confidence`.
    """
    confidence = answers.confidence()
    bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
    return {
        "photos": len(confidence),
        "class_labels": list(answers.labels),
        "predicted": np.bincount(answers.predicted(), minlength=len(answers.labels)).tolist(),
        "confidences": np.bincount(bins, minlength=BINS).tolist(),
        "mean_confidence": float(confidence.mean()),
    }
