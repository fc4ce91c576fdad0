"""The smoke test's photo, and whether an answer to it is right. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TOLERANCE = 0.05  # between one machine's probabilities and another's
_SUM = 1e-3


@dataclass(frozen=True)
class SmokeTest:
    """A real photo and what the artifact answered to it when it was evaluated."""

    content_type: str
    photo: bytes
    label: str
    probabilities: tuple[float, ...]
    """Of the labels, in their order."""
    labels: tuple[str, ...]


def read(text: bytes) -> SmokeTest:
    """Return the smoke test that smoke.json holds. Raises ValueError: it holds none."""
    try:
        document = json.loads(text)
        test = SmokeTest(
            content_type=_text(document["content_type"]),
            photo=base64.b64decode(_text(document["photo_base64"]), validate=True),
            label=_text(document["predicted_label"]),
            probabilities=tuple(_number(value) for value in document["probabilities"]),
            labels=tuple(_text(value) for value in document["class_labels"]),
        )
    except (KeyError, TypeError, binascii.Error, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__} {error}") from None
    if not test.photo or test.label not in test.labels or len(test.labels) != len(test.probabilities):
        raise ValueError("photo, label and probabilities do not fit together")
    return test


def fault(body: bytes, test: SmokeTest, model_version: str) -> str | None:
    """Return what is wrong with a server's answer, in one line; None when it is right."""
    try:
        answer = json.loads(body)
        if not isinstance(answer, dict):
            return "the answer is no JSON object"
        return _fault(answer, test, model_version)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        return "the answer is no JSON"
    except KeyError as error:
        return f"the answer lacks {error.args[0]}"
    except TypeError as error:
        return f"the answer has {error}"


def _fault(answer: Mapping[str, Any], test: SmokeTest, model_version: str) -> str | None:
    if answer["model_version"] != model_version:
        return f"version {str(answer['model_version'])[:80]} answered instead of {model_version}"
    if tuple(answer["class_labels"]) != test.labels:
        return f"the labels are {str(answer['class_labels'])[:80]}"
    probabilities = [_number(value) for value in answer["probabilities"]]
    index, confidence = answer["predicted_index"], _number(answer["confidence"])
    if len(probabilities) != len(test.labels) or not all(0 <= value <= 1 for value in probabilities):
        return "the probabilities are not a number from 0 to 1 for each label"
    if abs(sum(probabilities) - 1) > _SUM:
        return f"the probabilities add up to {sum(probabilities):.4f}"
    if type(index) is not int or not 0 <= index < len(probabilities):
        return f"predicted index {str(index)[:20]} is no label's"
    if abs(confidence - probabilities[index]) > _SUM:
        return f"confidence {confidence:.4f} is not the probability of the answer, {probabilities[index]:.4f}"
    if answer["predicted_label"] != test.labels[index]:
        return f"label {str(answer['predicted_label'])[:20]} does not belong to predicted index {index}"
    return _difference(probabilities, test, str(answer["predicted_label"]))


def _difference(probabilities: list[float], test: SmokeTest, label: str) -> str | None:
    most = max(abs(a - b) for a, b in zip(probabilities, test.probabilities, strict=True))
    if most > _TOLERANCE:
        return f"a probability differs by {most:.3f} from the evaluation, more than {_TOLERANCE}"
    if label != test.label:
        return f"label {label} instead of the evaluation's {test.label}"
    return None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} in place of a text")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{str(value)[:20]} in place of a number")
    return float(value)
