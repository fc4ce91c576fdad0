"""`smoke.json`: a test photo and the artifact's answer to it, for the smoke test of an endpoint."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from steps.common.decision import worth
from steps.common.job import JobError
from steps.common.predictor import Predictor
from steps.common.shards import ShardDataset
from steps.evaluate.inference import Answers
from steps.evaluate.models import blame

MAX_PHOTO_BYTES = 4 * 2**20  # in base64 below the 6 MiB that an endpoint, and the event of a function, may be sent


def smoke_test(predictor: Predictor, answers: Answers, dataset: ShardDataset) -> dict[str, Any]:
    """Take the photo, as it is stored, that the model is surest about, and what it says of it on its own.

    The surest is the one with the largest margin between the two answers that are worth most, the first among equals:
    what differs between machines in the last digits does not turn its answer. One that is too large for a request is
    passed over.

    Raises:
        JobError: every photo is too large for a request.
    """
    ordered = np.sort(worth(answers.probabilities[0], answers.near_credits[0]), axis=1)
    order = np.argsort(-(ordered[:, -1] - ordered[:, -2]), kind="stable")
    photos = (dataset[answers.positions[index]].image for index in order)
    photo = next((photo for photo in photos if len(photo) <= MAX_PHOTO_BYTES), None)
    if photo is None:
        raise JobError(
            f"every test photo has more than {MAX_PHOTO_BYTES} bytes, too many for a request: lower split.size"
        )
    with blame("model"):
        (prediction,) = predictor.predict([photo])
    return {
        "content_type": "image/jpeg",  # what shards hold
        "photo_base64": base64.b64encode(photo).decode(),
        "predicted_label": prediction.predicted_label,
        "probabilities": list(prediction.probabilities),
        "class_labels": list(predictor.spec.class_labels),
    }
