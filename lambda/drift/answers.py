"""The model's answers in a line of data capture, and what is counted of them. Pure.

A line is `{captureData: {endpointInput, endpointOutput: {data, encoding}}, eventMetadata: {inferenceTime}}`. What was
asked is not looked at. Anything may stand in a line: what is no answer is counted, and never an error.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from drift.event import Window, moment

BINS = 100
_SUM = 1e-2  # that probabilities may be off 1
_MOST = 1000  # answers of one request; the server takes 32 photos


@dataclass
class Tally:
    """Answers of one version, counted as baseline.json counts them."""

    model_version: str
    labels: tuple[str, ...]
    answers: int = 0
    predicted: list[int] = field(default_factory=list)
    """By class, in the labels' order."""
    confidences: list[int] = field(default_factory=lambda: [0] * BINS)
    confidence_sum: float = 0.0
    others: int = 0
    """Of other versions: production changed within the window."""
    unreadable: int = 0
    """Lines and answers that are none."""

    def __post_init__(self) -> None:
        self.predicted = self.predicted or [0] * len(self.labels)

    def add_line(self, line: bytes, window: Window) -> None:
        """Count the answers of a line; those of another time are left out."""
        try:
            record = json.loads(line)
            if moment(record["eventMetadata"]["inferenceTime"]) in window:
                for answer in _answered(record["captureData"]["endpointOutput"]):
                    self._add(answer)
        except (ValueError, KeyError, TypeError, RecursionError):  # of JSON, base64 and UTF-8 as well
            self.unreadable += 1

    def _add(self, answer: object) -> None:
        if not isinstance(answer, Mapping):
            self.unreadable += 1
            return
        if answer.get("model_version") != self.model_version:
            self.others += 1
            return
        probabilities: Any = answer.get("probabilities")
        index: Any = answer.get("predicted_index")
        if not self._fits(answer.get("class_labels"), probabilities, index):
            self.unreadable += 1
            return
        confidence = probabilities[index]
        self.answers += 1
        self.predicted[index] += 1
        self.confidences[min(max(math.ceil(confidence * BINS) - 1, 0), BINS - 1)] += 1
        self.confidence_sum += confidence

    def _fits(self, labels: object, probabilities: Any, index: Any) -> bool:  # noqa: ANN401
        """Whether labels, probabilities and the answer's place among them are those of an answer of this version."""
        return (
            labels == list(self.labels)
            and type(index) is int
            and 0 <= index < len(self.labels)
            and isinstance(probabilities, list)
            and len(probabilities) == len(self.labels)
            and all(type(value) in (int, float) and 0 <= value <= 1 for value in probabilities)
            and abs(sum(probabilities) - 1) <= _SUM
        )


def _answered(output: Mapping[str, Any]) -> Sequence[object]:
    """Return the answers of one request: one, or one a photo. Raises ValueError, KeyError, TypeError."""
    data = output["data"]
    text = base64.b64decode(data, validate=True) if output.get("encoding") == "BASE64" else data
    found = json.loads(text)
    return found[:_MOST] if isinstance(found, list) else [found]
