from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.cli.comparing import differing, hyperparameters
from pipeline.local import aws
from pipeline.local.home import Home
from tests.registered import Registry, beside, evaluation

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called


@pytest.fixture
def registry(home: Path) -> Registry:
    """Give the account four versions: the second beat the first; the third was scored on other photos."""
    made = Registry(aws.session(Home(home)))
    first = evaluation(0.62, "a")
    second = evaluation(0.65, "b", champion=beside(first, 0.03))
    second["model"]["provenance"]["hyperparameters"] = json.dumps({"learning_rate": 0.00110001, "epochs": 6})
    for one in (first, second, evaluation(0.7, "c", data="q-a-short96")):
        made.register(one)
    unknown = copy.deepcopy(first)
    del unknown["model"]
    made.register(unknown)
    return made


def test_two_versions_metric_by_metric(registry: Registry, call: Callable[..., Called]) -> None:
    called = call("models", "compare", 2, 1)
    assert called.code == 0, called
    assert called.lines == [
        "macro-F1\t0.650 [0.550, 0.750]\t0.620 [0.520, 0.720]\t+0.030 [+0.010, +0.050]\tbetter",
        "accuracy\t0.660 [0.560, 0.760]\t0.630 [0.530, 0.730]\t+0.030 [-0.109, +0.169]\twithin chance",
        "MAE, items\t0.400 [0.300, 0.500]\t0.400 [0.300, 0.500]\t+0.000 [-0.139, +0.139]\twithin chance",
        "learning_rate\t0.0011\t0.002",
    ]
    assert called.err.strip() == "both were scored on the same photos: data p-a-short9"


def test_other_photos_are_warned_of_and_nothing_is_subtracted(registry: Registry, call: Callable[..., Called]) -> None:
    called = call("models", "compare", 3, 1)
    assert called.lines[0] == "macro-F1\t0.700 [0.600, 0.800]\t0.620 [0.520, 0.720]\t\t"
    assert called.err.strip().startswith("warning: the test photos differ (data q-a-short9 and p-a-short9)")
    assert "nobody knows whether the test photos are the same" in call("models", "compare", 4, 1).err


def test_a_champion_that_was_scored_again_is_compared_on_those_photos(
    registry: Registry, call: Callable[..., Called]
) -> None:
    first = registry.evaluations[1]
    registry.register(evaluation(0.5, "d", data="q-a-short96", champion=beside(first, -0.12)))
    for arguments in ((5, 1), (1, 5)):
        assert (
            "version 1 is shown as it was scored again on those of version 5"
            in call("models", "compare", *arguments).err
        )


def test_the_same_for_scripts(registry: Registry, call: Callable[..., Called]) -> None:
    told = json.loads(call("models", "compare", 2, 1, "--json").out)
    assert told["same_photos"] is True
    assert [one["number"] for one in told["versions"]] == [2, 1]
    assert told["metrics"]["macro_f1"]["difference"]["paired"] is True
    assert told["hyperparameters"] == {"learning_rate": ["0.0011", "0.002"]}
    assert json.loads(call("models", "compare", 4, 1, "--json").out)["same_photos"] is None


def test_a_version_that_is_not_there_is_one_line(registry: Registry, call: Callable[..., Called]) -> None:
    called = call("models", "compare", 2, 9)
    assert (called.code, called.out) == (1, "")
    assert called.err == "error: there is no version 9 of counts: `bincount models` lists them\n"


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "[" * 100_000])
def test_hyperparameters_that_cannot_be_read_are_none(text: str) -> None:
    assert hyperparameters({"hyperparameters": text}) == {}
    assert hyperparameters({}) == {}


def test_what_one_side_lacks_differs_unless_the_side_is_unknown() -> None:
    assert list(differing({"a": "1"}, {"a": "1", "b": "2"})) == [("b", "", "2")]
    assert list(differing({}, {"a": "1"})) == []
