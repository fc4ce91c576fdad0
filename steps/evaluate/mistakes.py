"""The worst mistakes: the largest error, made with the highest confidence."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from steps.common.images import PhotoError, decode
from steps.evaluate.inference import Answers

SIDE = 176  # pixels of a thumbnail's longer side: twice what is shown, for dense screens


@dataclass(frozen=True, slots=True)
class Mistake:
    """A photo that the model counted wrongly; `champion` is the champion's answer where there is one."""

    id: str
    position: int
    true: str
    predicted: str
    error: int
    confidence: float
    champion: str | None = None


def worst_mistakes(answers: Answers, number: int) -> list[Mistake]:
    """Return up to `number` mistakes of the first model, worst first; equal ones in the photos' order."""
    predicted = answers.predicted()
    confidence = answers.confidence()
    error = predicted - answers.true
    order = np.lexsort((-confidence, -np.abs(error)))
    champion = answers.predicted(1) if len(answers.probabilities) > 1 else None
    return [
        Mistake(
            id=answers.ids[index],
            position=answers.positions[index],
            true=answers.labels[answers.true[index]],
            predicted=answers.labels[predicted[index]],
            error=int(error[index]),
            confidence=float(confidence[index]),
            champion=None if champion is None else answers.labels[champion[index]],
        )
        for index in order[:number]
        if error[index]
    ]


def thumbnail(photo: bytes) -> str | None:
    """Return a small JPEG of the photo as a data URI, None where it cannot be decoded."""
    try:
        image = decode(photo, at_least=SIDE)
    except PhotoError:
        return None
    image.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=80)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()
