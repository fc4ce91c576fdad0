"""When a CloudWatch alarm is in which state, as the CloudWatch user guide tells it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

# Datapoints that are looked at beyond the EvaluationPeriods, for when some are missing: "the evaluation range".
_MORE = 2
_HOLDS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}
COMPARISONS = tuple(_HOLDS)


def evaluation_range(alarm: Mapping[str, Any]) -> int:
    """Return how many of the newest datapoints an alarm looks at."""
    return int(alarm["EvaluationPeriods"]) + _MORE


def datapoints(samples: Iterable[tuple[float, float]], alarm: Mapping[str, Any], now: float) -> list[float | None]:
    """Return the alarm's statistic over each of its periods, the newest first, None where a period has no sample.

    Args:
        samples: (time, value), times in seconds since 1970.
        alarm: as DescribeAlarms answers it.
        now: the end of the newest period. Here periods end now, not at whole minutes: a short bake shows its errors.
    """
    period = alarm["Period"]
    values: list[list[float]] = [[] for _ in range(evaluation_range(alarm))]
    for time, value in samples:
        place = math.floor((now - time) / period)
        if 0 <= place < len(values):
            values[place].append(value)
    return [_statistic(alarm, part) if part else None for part in values]


def _statistic(alarm: Mapping[str, Any], values: Sequence[float]) -> float:
    if extended := alarm.get("ExtendedStatistic"):
        return _percentile(values, float(extended.removeprefix("p")))
    by_name: dict[str, Callable[[Sequence[float]], float]] = {
        "Average": lambda values: math.fsum(values) / len(values),
        "Sum": math.fsum,
        "Maximum": max,
        "Minimum": min,
        "SampleCount": len,
    }
    return by_name[alarm["Statistic"]](values)


def _percentile(values: Sequence[float], share: float) -> float:
    in_order = sorted(values)
    place = (len(in_order) - 1) * share / 100
    low, high = in_order[math.floor(place)], in_order[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))


def state_of(points: Sequence[float | None], alarm: Mapping[str, Any], current: str) -> str:
    """Return OK, ALARM or INSUFFICIENT_DATA for datapoints, newest first; `current` is kept where they decide nothing.

    Missing datapoints are filled in only where fewer real ones than EvaluationPeriods are in the range. After
    "Configuring how CloudWatch alarms treat missing data", the tables of which are tests.
    """
    holds, threshold = _HOLDS[alarm["ComparisonOperator"]], alarm["Threshold"]
    breaching = [None if point is None else holds(point, threshold) for point in points]
    periods, needed = alarm["EvaluationPeriods"], alarm.get("DatapointsToAlarm") or alarm["EvaluationPeriods"]
    real = [point for point in breaching if point is not None][:periods]
    treatment = alarm.get("TreatMissingData", "missing")
    filled = (periods - len(real)) * (treatment == "breaching")
    if real.count(True) + filled >= needed:
        return "ALARM"
    if False in real or treatment in {"breaching", "notBreaching"}:
        return "OK"
    if treatment == "ignore":
        return current
    if not real:
        return "INSUFFICIENT_DATA"
    # Too few, and all of them breaching: an alarm when the oldest of them is old enough ("premature alarm state").
    oldest = max(place for place, point in enumerate(breaching) if point)
    return "ALARM" if oldest + 1 >= needed else current
