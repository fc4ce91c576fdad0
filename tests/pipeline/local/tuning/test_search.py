from __future__ import annotations

import math
from typing import Any

import pytest

from pipeline.local.failures import StepError
from pipeline.local.tuning.search import Search

RANGES = {
    "ContinuousParameterRanges": [{"Name": "rate", "MinValue": "0.0001", "MaxValue": "0.1", "ScalingType": "Auto"}],
    "IntegerParameterRanges": [{"Name": "layers", "MinValue": "1", "MaxValue": "4"}],
    "CategoricalParameterRanges": [{"Name": "optimizer", "Values": ['"adam"', '"sgd"']}],
}
GRID = {"CategoricalParameterRanges": [{"Name": "a", "Values": ["1", "2"]}, {"Name": "b", "Values": ["x", "y"]}]}


def search(
    strategy: str = "Bayesian", ranges: dict[str, Any] | None = None, seed: int = 1, type: str = "Maximize"
) -> Search:
    config = {"Strategy": strategy, "HyperParameterTuningJobObjective": {"Type": type, "MetricName": "m"}}
    return Search(config, RANGES if ranges is None else ranges, 10, seed)


def draws(given: Search, count: int, value: float | None = 0.5) -> list[dict[str, str]]:
    points = []
    for _ in range(count):
        trial, point = given.ask()
        given.tell(trial, value)
        points.append(point)
    return points


@pytest.mark.parametrize("strategy", ["Bayesian", "Random"])
def test_proposals_are_strings_within_their_ranges_and_repeat_with_the_seed(strategy: str) -> None:
    points = draws(search(strategy), 12)
    for point in points:
        assert 0.0001 <= float(point["rate"]) <= 0.1
        assert int(point["layers"]) in {1, 2, 3, 4}
        assert point["optimizer"] in {'"adam"', '"sgd"'}
    assert draws(search(strategy), 12) == points
    assert draws(search(strategy, seed=2), 12) != points


def test_a_wide_positive_range_is_searched_by_its_logarithm() -> None:
    rates = sorted(float(point["rate"]) for point in draws(search("Random"), 60))
    assert 1e-3 < rates[30] < 1e-2  # the middle of the logarithms; of the range itself it would be 0.05


@pytest.mark.parametrize(("type", "best"), [("Maximize", 4), ("Minimize", 1)])
def test_the_bayesian_search_learns_which_way_is_better(type: str, best: int) -> None:
    ranges = {"IntegerParameterRanges": [{"Name": "n", "MinValue": "1", "MaxValue": "4"}]}
    given = search("Bayesian", ranges, type=type)
    chosen = []
    for _ in range(30):
        trial, point = given.ask()
        given.tell(trial, float(point["n"]))
        chosen.append(int(point["n"]))
    assert chosen[15:].count(best) > chosen[15:].count(5 - best)


def test_a_grid_is_walked_once() -> None:
    given = search("Grid", GRID)
    assert given.size == 4
    assert draws(given, 4) == [{"a": a, "b": b} for a in "12" for b in "xy"]


def test_an_earlier_run_is_taken_into_account() -> None:
    given = search("Grid", GRID)
    given.restore({"a": "1", "b": "x"}, 0.5)
    given.restore({"a": "2", "b": "x"}, None)
    given.again({"a": "2", "b": "y"})
    assert draws(given, 2) == [{"a": "2", "b": "y"}, {"a": "1", "b": "y"}]
    given = search("Random")
    point = {"rate": "0.0123", "layers": "2", "optimizer": '"sgd"'}
    given.restore(point, 0.7)
    given.again(point)
    assert draws(given, 1) == [point]


def test_failed_trials_do_no_harm() -> None:
    assert len(draws(search(), 12, value=None)) == 12


def continuous(low: str, scaling: str) -> dict[str, Any]:
    return {"ContinuousParameterRanges": [{"Name": "x", "MinValue": low, "MaxValue": "1", "ScalingType": scaling}]}


@pytest.mark.parametrize(
    ("strategy", "ranges"),
    [
        ("Hyperband", RANGES),
        ("Grid", RANGES),
        ("Random", {}),
        ("Random", continuous("2", "Auto")),
        ("Random", continuous("0", "Logarithmic")),
        ("Random", continuous("0", "ReverseLogarithmic")),
    ],
)
def test_what_cannot_be_searched_is_one_clear_line(strategy: str, ranges: dict[str, Any]) -> None:
    with pytest.raises(StepError, match="ClientError"):
        search(strategy, ranges)


def test_floats_keep_their_value_as_text() -> None:
    given = search("Random")
    trial, point = given.ask()
    assert math.isclose(float(point["rate"]), trial.params["rate"], rel_tol=0, abs_tol=0)
