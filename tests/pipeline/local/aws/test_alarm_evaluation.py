from __future__ import annotations

import math
import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.local.aws.alarm_evaluation import datapoints, evaluation_range, state_of

VALUES = {"0": 0.0, "X": 5.0, "-": None}
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")
OK, ALARM, NONE, KEEP = "OK", "ALARM", "INSUFFICIENT_DATA", "KEEP"
NOW = 1_000_000.0


def alarm(periods: int, **members: Any) -> dict[str, Any]:
    base = {"EvaluationPeriods": periods, "Period": 60, "Threshold": 1.0, "Statistic": "Sum"}
    return {**base, "ComparisonOperator": "GreaterThanThreshold", **members}


# The two tables of "Configuring how CloudWatch alarms treat missing data", and what the text below them says; the
# newest datapoint on the right.
@pytest.mark.parametrize(
    ("points", "needed", "expected"),
    [
        ("0-X-X", 3, (OK, OK, OK, OK)),
        ("0----", 3, (OK, OK, OK, OK)),
        ("-----", 3, (NONE, KEEP, ALARM, OK)),
        ("0XX-X", 3, (ALARM, ALARM, ALARM, ALARM)),
        ("--X--", 3, (ALARM, KEEP, ALARM, OK)),
        ("0-X-X", 2, (ALARM, ALARM, ALARM, ALARM)),
        ("00X0X", 2, (ALARM, ALARM, ALARM, ALARM)),
        ("0-X--", 2, (OK, OK, ALARM, OK)),
        ("----0", 2, (OK, OK, ALARM, OK)),
        ("---X-", 2, (ALARM, KEEP, ALARM, OK)),
        ("----X", 3, (KEEP, KEEP, ALARM, OK)),
        ("---X-", 3, (KEEP, KEEP, ALARM, OK)),
    ],
)
@pytest.mark.parametrize("current", [OK, ALARM, NONE])
def test_missing_data(points: str, needed: int, expected: tuple[str, ...], current: str) -> None:
    newest_first = [VALUES[point] for point in reversed(points)]
    for treatment, state in zip(TREATMENTS, expected, strict=True):
        asked = alarm(3, DatapointsToAlarm=needed, TreatMissingData=treatment)
        assert evaluation_range(asked) == len(points)
        assert state_of(newest_first, asked, current) == (current if state == KEEP else state)


@pytest.mark.parametrize(
    ("operator", "states"),
    [
        ("GreaterThanThreshold", (OK, OK, ALARM)),
        ("GreaterThanOrEqualToThreshold", (OK, ALARM, ALARM)),
        ("LessThanThreshold", (ALARM, OK, OK)),
        ("LessThanOrEqualToThreshold", (ALARM, ALARM, OK)),
    ],
)
def test_comparisons(operator: str, states: tuple[str, ...]) -> None:
    asked = alarm(1, ComparisonOperator=operator)
    assert tuple(state_of([value], asked, NONE) for value in (0.0, 1.0, 2.0)) == states


def test_samples_fall_into_the_periods_that_end_now() -> None:
    samples = [(NOW, 1.0), (NOW - 59, 2.0), (NOW - 61, 4.0), (NOW - 239, 8.0), (NOW - 241, 16.0), (NOW + 1, 32.0)]
    assert datapoints(samples, alarm(2), NOW) == [3.0, 4.0, None, 8.0]


@given(st.lists(st.floats(0, 1e7), min_size=1, max_size=50), st.integers(1, 99))
def test_statistics_are_those_of_the_sample(values: list[float], share: int) -> None:
    def of(**members: Any) -> float | None:
        return datapoints([(NOW, value) for value in values], {**alarm(1), **members}, NOW)[0]

    assert of(Statistic="Sum") == math.fsum(values)
    assert of(Statistic="Average") == pytest.approx(statistics.fmean(values))
    assert (of(Statistic="Minimum"), of(Statistic="Maximum")) == (min(values), max(values))
    assert of(Statistic="SampleCount") == len(values)
    assert of(ExtendedStatistic="p100") == max(values)
    if len(values) > 1:
        expected = statistics.quantiles(values, n=100, method="inclusive")[share - 1]
        assert of(ExtendedStatistic=f"p{share}") == pytest.approx(expected)
