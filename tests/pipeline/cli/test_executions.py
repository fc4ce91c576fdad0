from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called, Ran


def test_list_shows_the_newest_first(ran: Ran, call: Callable[..., Called]) -> None:
    rows = [line.split("\t") for line in call("list").lines]
    assert [row[1:3] + row[4:5] for row in rows] == [["churn", "Failed", "weak"], ["churn", "Succeeded", "good"]]
    assert len(call("list", "--limit", 1).lines) == 1
    listed = json.loads(call("list", "--json").out)
    assert [one["id"] for one in listed] == [row[0] for row in rows]


def test_status_shows_the_latest_or_the_one_that_is_named(ran: Ran, call: Callable[..., Called]) -> None:
    assert "✘ TooWeak" in call("status").out
    good = call("status", "good")
    assert good.code == 0
    assert "· TooWeak" in good.out
    assert "auc 0.6 >= 0.5" in good.out
    short = call("list").lines[1].split("\t")[0]
    assert call("status", short).out == good.out


def test_status_as_json_has_steps_and_outcome(ran: Ran, call: Callable[..., Called]) -> None:
    told = json.loads(call("status", "good", "--json").out)
    assert {step["name"]: step["status"] for step in told["steps"]}["Publish"] == "Succeeded"
    assert told["outcome"]["gate"] == [{"name": "auc", "value": 0.6, "sign": ">=", "bound": 0.5, "held": True}]
    assert told["pipeline"] == "churn"


def test_an_unknown_execution_or_step_is_answered_with_near_ones(ran: Ran, call: Callable[..., Called]) -> None:
    assert "no execution 'goood' (did you mean good?)" in call("status", "goood").err
    assert "no step 'Scor' (did you mean Score?)" in call("logs", "Scor").err


def test_watch_of_what_has_ended_says_how(ran: Ran, call: Callable[..., Called]) -> None:
    assert call("watch", "good").code == 0
    assert call("watch", "weak").code == 1


def test_logs_print_what_the_job_printed(ran: Ran, call: Callable[..., Called]) -> None:
    assert call("logs", "fit", "-e", "good").out == "rows=6\n"
    assert call("logs", "Fit", "--follow", "-e", "good").out == "rows=6\n"
    assert "step Gate is Succeeded and has no job" in call("logs", "Gate", "-e", "good").err


def test_nothing_yet_is_said(home: Path, call: Callable[..., Called]) -> None:
    assert "no execution yet: `bincount run` starts one" in call("status").err
    assert call("list").code == 0
    assert json.loads(call("list", "--json").out) == []
    assert "no execution is running" in call("stop").err
