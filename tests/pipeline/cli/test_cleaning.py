from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from pipeline.aws import executions, inspection, pipelines
from pipeline.aws.cleanup import executor
from pipeline.aws.cleanup.models import Kind
from pipeline.errors import UserError
from pipeline.local import aws
from pipeline.local.home import Home

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called

Call = Callable[..., "Called"]
OURS = {"project": "bincount", "group": "bincount-demo"}


@pytest.fixture
def events(moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the client of an account of AWS with a schedule of ours and one of somebody else."""
    monkeypatch.setattr(inspection, "connect", lambda: moto_session)
    client: Any = moto_session.client("events")
    tags = [{"Key": key, "Value": value} for key, value in OURS.items()]
    client.put_rule(Name="bincount-nightly", ScheduleExpression="rate(1 day)", Tags=tags)
    client.put_rule(Name="bincount-theirs", ScheduleExpression="rate(1 day)")
    return client


def rules(events: Any) -> list[str]:
    return [rule["Name"] for rule in events.list_rules()["Rules"]]


def test_a_dry_run_shows_the_plan_and_changes_nothing(events: Any, call: Call) -> None:
    called = call("cleanup", "--dry-run", "--target", "aws")
    assert (called.code, called.err) == (0, "the registry, executions and data stay\n")
    assert [line.split("\t") for line in called.lines] == [
        ["remove", "schedule", "bincount-nightly", ""],
        ["keep", "schedule", "bincount-theirs", "has no tag project=bincount"],
    ]
    assert rules(events) == ["bincount-nightly", "bincount-theirs"]


def test_without_a_terminal_and_without_yes_nothing_is_changed(events: Any, call: Call) -> None:
    called = call("cleanup", "--target", "aws")
    assert called.code == 1
    assert called.err.endswith("there is no terminal; --yes goes on without asking\n")
    assert rules(events) == ["bincount-nightly", "bincount-theirs"]


def test_yes_removes_and_the_second_time_there_is_nothing(events: Any, call: Call) -> None:
    called = call("cleanup", "--yes", "--target", "aws")
    assert called.code == 0
    assert called.lines[-1] == "removed schedule bincount-nightly"
    assert rules(events) == ["bincount-theirs"]
    again = call("cleanup", "--yes", "--target", "aws")
    assert again.code == 0
    assert again.err == "nothing to remove; the registry, executions and data stay\n"


def test_a_profile_goes_alone(events: Any, call: Call) -> None:
    assert "nothing to remove" in call("cleanup", "--profile", "prod", "--yes", "--target", "aws").err
    assert call("cleanup", "--profile", "demo", "--yes", "--target", "aws").lines[-1].startswith("removed")


def test_what_could_not_be_removed_is_said_and_is_exit_code_1(
    events: Any, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise UserError("AWS denies\nDeleteRule")

    monkeypatch.setitem(executor._REMOVE, Kind.SCHEDULE, refuse)
    called = call("cleanup", "--yes", "--target", "aws")
    assert called.code == 1
    assert called.err.splitlines()[1:] == [
        "not removed: schedule bincount-nightly: AWS denies DeleteRule",
        "error: 1 could not be removed: `bincount cleanup` tries again",
    ]


def test_ctrl_c_leaves_what_is_left(events: Any, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setitem(executor._REMOVE, Kind.SCHEDULE, interrupt)
    called = call("cleanup", "--yes", "--target", "aws")
    assert called.code == 130
    assert called.err.endswith("left: `bincount cleanup` goes on where this ended\n")


def test_what_is_left_of_a_lost_endpoint_goes_too(home: Path, call: Call) -> None:
    folder = home / "endpoints" / "bincount-demo-staging"
    folder.mkdir(parents=True)
    assert "nothing to remove" in call("cleanup", "--profile", "prod").err
    row = "remove\tlocal\tbincount-demo-staging\tits folder of bincount-demo-staging, which is gone"
    assert call("cleanup", "--dry-run", "--profile", "demo").lines == [row]
    assert folder.is_dir()
    called = call("cleanup", "--yes")
    assert called.code == 0
    assert called.lines == [row, "removed its folder of bincount-demo-staging, which is gone"]
    assert not folder.exists()


def test_an_execution_that_runs_is_mentioned(home: Path, call: Call) -> None:
    step = {"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}
    definition = {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": [step]}
    session = aws.session(Home(home), lambda *_: os.getpid())
    role = "arn:aws:iam::000000000000:role/bincount-pipeline"
    pipelines.upsert(session, "bincount-demo", json.dumps(definition), role, {}, "bincount-local")
    short = executions.start(session, "bincount-demo", {}).rpartition("/")[2]
    called = call("cleanup")
    assert called.err.splitlines() == [
        f"execution {short} of bincount-demo is Executing and may deploy again: `bincount stop {short}`",
        "nothing to remove; the registry, executions and data stay",
    ]
    assert executions.executions(session, "bincount-demo")[0].status == "Executing"
