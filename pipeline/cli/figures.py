"""The figures of two evaluations beside each other: how far they differ, and whether that is more than chance."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

METRICS = {
    "macro_f1": "macro-F1",
    "accuracy": "accuracy",
    "within_one_accuracy": "within one",
    "macro_precision": "macro precision",
    "macro_recall": "macro recall",
    "mae": "MAE, items",
    "rmse": "RMSE, items",
    "expected_calibration_error": "calibration error",
    "coverage": "no person asked",
    "selective_accuracy": "accuracy of these",
    "selective_within_one_accuracy": "within one of these",
}
_LESS_IS_BETTER = frozenset({"mae", "rmse", "expected_calibration_error"})
_Z = 1.96  # standard errors to each side of a 95 % interval

Interval = tuple[float, float]
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Figure:
    """A score with its 95 % interval and its standard error, where they are known."""

    value: float
    interval: Interval | None = None
    deviation: float | None = None


@dataclass(frozen=True)
class Difference:
    """The first less the second, with the 95 % interval.

    `paired` intervals are of the same photos drawn for both. The others take the two scores for independent, which
    makes them too wide where the photos are the same.
    """

    value: float
    interval: Interval | None
    paired: bool


@dataclass(frozen=True)
class Row:
    """One metric of both; a side is None where it is not known on the photos that are compared on."""

    name: str
    left: Figure | None
    right: Figure | None
    difference: Difference | None

    @property
    def verdict(self) -> str:
        """Say whether the first is `better` or `worse`; `within chance` where the interval holds 0; else nothing."""
        if self.difference is None or self.difference.interval is None:
            return ""
        lower, upper = self.difference.interval
        if lower <= 0 <= upper:
            return "within chance"
        return "better" if (lower > 0) != (self.name in _LESS_IS_BETTER) else "worse"


@dataclass(frozen=True)
class Comparison:
    """Two evaluations: `same_photos` is None where nobody knows; `scored_on` is whose test photos `rows` are about."""

    same_photos: bool | None
    scored_on: str
    """both, left (the second was scored again there, as the champion), right, or each: its own."""
    rows: tuple[Row, ...]


def figure(block: object, name: str) -> Figure | None:
    """Read a score of evaluation.json; None where there is none that is a number."""
    body = block.get(name) if isinstance(block, Mapping) else None
    value = _number(body, "value")
    if value is None:
        return None
    interval = body.get("confidence_interval") if isinstance(body, Mapping) else None
    lower, upper = _number(interval, "lower"), _number(interval, "upper")
    bounds = None if lower is None or upper is None else (lower, upper)
    return Figure(value, bounds, _number(body, "standard_deviation"))


def same_photos(left: str, right: str) -> bool | None:
    """Say whether two data hashes are of the same photos and split; None where one is not known.

    The hash that Split writes is `<photos and labels>-<split>-<picture size>`: the size may differ.
    """
    if not left or not right:
        return None
    parts = [one.rpartition("-")[0] if one.count("-") == 2 else one for one in (left, right)]
    return parts[0] == parts[1]


def compare(left: Json, right: Json, same: bool | None) -> Comparison:
    """Compare two evaluations.

    Where one was evaluated beside the other, as its champion, both scores are of the same photos whatever `same` says,
    and the difference of macro-F1 is paired.

    Args:
        left: an evaluation.json.
        right: another.
        same: whether their own test photos are the same; None if not known.
    """
    first, second = (one.get("multiclass_classification_metrics") for one in (left, right))
    gain: Difference | None = None
    scored_on = "both" if same else "each"
    if _beat(left, right):
        gain, scored_on = _gain(left, 1), "both" if same else "left"
        second = second if same else left["champion"]
    elif _beat(right, left):
        gain, scored_on = _gain(right, -1), "both" if same else "right"
        first = first if same else right["champion"]
    comparable = scored_on != "each" or same is None
    rows = (_row(name, figure(first, name), figure(second, name), gain, comparable) for name in METRICS)
    return Comparison(same, scored_on, tuple(row for row in rows if row.left or row.right))


def _row(name: str, left: Figure | None, right: Figure | None, gain: Difference | None, comparable: bool) -> Row:
    if left is None or right is None or not comparable:
        return Row(name, left, right, None)
    if name == "macro_f1" and gain is not None:
        return Row(name, left, right, gain)
    value, interval = left.value - right.value, None
    if left.deviation is not None and right.deviation is not None:
        reach = _Z * math.hypot(left.deviation, right.deviation)
        interval = (value - reach, value + reach)
    return Row(name, left, right, Difference(value, interval, paired=False))


def _beat(one: Json, other: Json) -> bool:
    """Say whether `other` is the champion that `one` was evaluated beside, by the digest of the artifact."""
    champion = one.get("champion")
    if not isinstance(champion, Mapping) or champion.get("present") is not True:
        return False
    digests = [holder.get("model", {}) for holder in (champion, other)]
    first, second = (digest.get("sha256") if isinstance(digest, Mapping) else None for digest in digests)
    return isinstance(first, str) and first == second


def _gain(evaluation: Json, sign: int) -> Difference | None:
    gain = figure(evaluation["champion"], "improvement")
    if gain is None:
        return None
    low, high = gain.interval or (math.nan, math.nan)
    bounds = (low, high) if sign > 0 else (-high, -low)
    return Difference(sign * gain.value, bounds if gain.interval else None, paired=True)


def _number(block: object, name: str) -> float | None:
    value = block.get(name) if isinstance(block, Mapping) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
