"""`baseline.json` of a version: how its answers were spread when it was evaluated."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drift.answers import BINS
from drift.errors import is_missing
from drift.production import Place

if TYPE_CHECKING:
    from drift.environment import Environment

_LARGEST = 1 << 20


@dataclass(frozen=True)
class Baseline:
    """Counts of the test set's answers."""

    labels: tuple[str, ...]
    predicted: tuple[int, ...]
    """By class, in the labels' order."""
    confidences: tuple[int, ...]
    mean_confidence: float

    @property
    def photos(self) -> int:
        """How many there were."""
        return sum(self.predicted)


def read(environment: Environment, place: Place) -> Baseline | str:
    """Return the baseline, or why there is none in one line."""
    uri = f"s3://{place.bucket}/{place.key}"
    try:
        with environment.s3.get_object(Bucket=place.bucket, Key=place.key)["Body"] as stream:
            text = stream.read(_LARGEST + 1)
    except ClientError as error:
        # Whoever may not list a bucket is told that what is not there is forbidden.
        if is_missing(error) or error.response.get("Error", {}).get("Code") == "AccessDenied":
            return f"{uri} is gone, or not this function's to read"
        raise
    try:
        if len(text) <= _LARGEST:
            return parse(json.loads(text))
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    return f"{uri} holds no baseline"


def parse(document: Any) -> Baseline:  # noqa: ANN401
    """Return the baseline that baseline.json holds. Raises ValueError, KeyError, TypeError: it holds none."""
    found = Baseline(
        labels=tuple(document["class_labels"]),
        predicted=tuple(_count(value) for value in document["predicted"]),
        confidences=tuple(_count(value) for value in document["confidences"]),
        mean_confidence=float(document["mean_confidence"]),
    )
    fits = len(found.predicted) == len(found.labels) and len(found.confidences) == BINS
    if not fits or not 0 < found.photos == sum(found.confidences) or not 0 <= found.mean_confidence <= 1:
        raise ValueError("labels, counts and photos do not fit together")
    return found


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError(f"{str(value)[:20]} in place of a count")
    return value
