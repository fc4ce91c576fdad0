from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer

from pipeline.aws import approval, deployment, functions
from pipeline.local import aws
from pipeline.local.home import Home
from tests.registered import Registry, beside, evaluation

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called

FIRST = evaluation(0.62, "a")


@pytest.fixture
def registry(home: Path, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Give the account three versions: one in production, a better one that staging passed, one that failed there."""
    made = Registry(aws.session(Home(home)))
    made.register(FIRST, "Approved", StagingStatus="Passed", ProductionStatus="Passed")
    better = evaluation(0.65, "b", champion=beside(FIRST, 0.03))
    made.register(better, StagingStatus="Passed", StagingTime="2026-11-22T12:00:00Z")
    made.register(evaluation(0.7, "c", data="q-a-short96"), StagingStatus="Failed", StagingReason="it miscounts")
    monkeypatch.setattr(deployment, "serving", lambda *_: 1)
    monkeypatch.setattr(functions, "reconcile", lambda *_: {})
    return made


@pytest.fixture
def production(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that says what the deploy function writes of a version once somebody has decided."""

    def follows(number: int, **metadata: str) -> None:
        for verb in ("approve", "reject"):
            decide = getattr(approval, verb)

            def decided(*given: Any, decide: Callable[..., None] = decide, **named: Any) -> None:
                decide(*given, **named)
                registry.say(number, **metadata)

            monkeypatch.setattr(approval, verb, decided)
        endpoint = ("InService", number if metadata.get("ProductionStatus") == "Passed" else 1)
        monkeypatch.setattr(deployment, "_endpoint", lambda *_: endpoint)

    return follows


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool | None], list[str]]:
    """Return a function that puts somebody at a terminal, who answers, or presses Ctrl-C for None."""

    def sits(answer: bool | None) -> list[str]:
        asked: list[str] = []

        def confirm(question: str, **_: object) -> bool:
            asked.append(question)
            if answer is None:
                raise typer.Abort
            return answer

        monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
        monkeypatch.setattr(typer, "confirm", confirm)
        return asked

    return sits


def status(registry: Registry, number: int) -> str:
    return str(registry.describe(number)["ModelApprovalStatus"])


def test_approval_shows_the_figures_and_waits_for_production(
    registry: Registry, production: Callable[..., None], call: Callable[..., Called]
) -> None:
    production(2, ProductionStatus="Passed")
    called = call("models", "approve", 2, "--yes", "--note", "fine")
    assert called.code == 0, called
    assert "score      macro-F1 0.650 [0.550, 0.750]" in called.err
    assert "champion   macro-F1 +0.030 [+0.010, +0.050] on version 1; better" in called.err
    assert "warning" not in called.err
    assert "version 2 of counts is Approved" in called.err
    assert called.out == "production version 2: counts-production is InService, smoke test passed\n"
    assert registry.describe(2)["ApprovalDescription"].startswith("fine (")


def test_production_that_turns_it_down_is_exit_code_1(
    registry: Registry, production: Callable[..., None], call: Callable[..., Called]
) -> None:
    production(2, ProductionStatus="RolledBack", ProductionReason="alarm")
    called = call("models", "approve", 2, "--yes")
    assert called.code == 1
    assert called.out == "production version 2: rolled back: alarm; version 1 stays in service\n"
    assert "it is still Approved: `bincount models reject 2` takes that back" in called.err
    again = call("models", "approve", 2, "--yes", "--json")
    told = json.loads(again.out)
    assert (again.code, told["status"], told["deployment"]["reason"]) == (1, "Approved", "alarm")


def test_without_a_terminal_and_yes_nothing_is_changed(registry: Registry, call: Callable[..., Called]) -> None:
    for verb in ("approve", "reject"):
        called = call("models", verb, 2)
        assert (called.code, called.out) == (1, "")
        assert called.err == (
            "error: nothing is changed: it would ask first, and there is no terminal; --yes goes on without asking\n"
        )
    assert status(registry, 2) == "PendingManualApproval"


def test_it_asks_and_no_changes_nothing(
    registry: Registry, answers: Callable[[bool | None], list[str]], call: Callable[..., Called]
) -> None:
    asked = answers(False)
    assert call("models", "approve", 2).code == 1
    assert call("models", "reject", 2).code == 1
    assert asked == ["Approve version 2 of counts for production?", "Reject version 2 of counts?"]
    answers(None)
    assert call("models", "approve", 2).code == 130
    assert status(registry, 2) == "PendingManualApproval"
    answers(True)
    assert call("models", "approve", 2, "--no-wait").code == 0
    assert status(registry, 2) == "Approved"


def test_what_staging_turned_down_is_not_approved(registry: Registry, call: Callable[..., Called]) -> None:
    before = status(registry, 3)
    called = call("models", "approve", 3, "--yes")
    assert called.code == 1
    assert (
        "error: staging turned version 3 down (it miscounts): --without-staging approves it all the same" in called.err
    )
    assert status(registry, 3) == before != "Approved"
    assert "StagingOverride" not in registry.metadata(3)


def test_an_override_is_warned_of_and_recorded(
    registry: Registry, production: Callable[..., None], call: Callable[..., Called]
) -> None:
    production(3, ProductionStatus="Passed")
    called = call("models", "approve", 3, "--yes", "--without-staging")
    assert called.code == 0, called
    assert "warning: staging has not passed (Failed): production takes it all the same" in called.err
    assert "version 1; the test photos differ" in called.err
    assert registry.metadata(3)["StagingOverride"]


def test_staging_that_is_under_way_is_waited_for_first(
    registry: Registry, production: Callable[..., None], call: Callable[..., Called]
) -> None:
    number = registry.register(evaluation(0.6, "d"), StagingStatus="Deploying")
    production(number, StagingStatus="Failed", StagingReason="no answer")
    called = call("models", "approve", number, "--yes")
    assert called.code == 1
    assert called.out == f"staging    version {number}: failed: no answer; version 1 stays in service\n"


def test_an_older_version_has_to_wait_for_room(registry: Registry, call: Callable[..., Called]) -> None:
    newer = registry.register(evaluation(0.6, "d"), "Approved", StagingStatus="Passed")
    called = call("models", "approve", 2, "--yes")
    assert called.code == 1
    assert f"production stays with version {newer}, which is approved too and newer" in called.err
    assert f"`bincount models reject {newer}`" in called.err


def test_ctrl_c_leaves_with_a_hint(
    registry: Registry, call: Callable[..., Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(deployment, "wait_for", interrupt)
    called = call("models", "approve", 2, "--yes")
    assert called.code == 130
    assert "left: the deployment goes on; `bincount models` tells" in called.err
    assert status(registry, 2) == "Approved"


def test_rejecting_what_production_serves_brings_the_newest_other(
    registry: Registry, production: Callable[..., None], call: Callable[..., Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = registry.register(evaluation(0.6, "d"), "Approved", StagingStatus="Passed", ProductionStatus="Passed")
    monkeypatch.setattr(deployment, "serving", lambda *_: other)
    production(1, ProductionStatus="Passed")
    called = call("models", "reject", other, "--yes", "--note", "miscounts")
    assert called.code == 0, called
    assert f"version {other} of counts is Approved and production serves it: version 1 takes its place" in called.err
    assert called.out == "production version 1: counts-production is InService, smoke test passed\n"
    assert status(registry, other) == "Rejected"


def test_rejecting_the_last_one_says_that_it_stays(registry: Registry, call: Callable[..., Called]) -> None:
    called = call("models", "reject", 1, "--yes", "--json")
    assert called.code == 0
    assert "no other version may take its place, so it stays in service until one is approved" in called.err
    assert json.loads(called.out) == {"group": "counts", "number": 1, "status": "Rejected", "deployment": None}


def test_rejecting_another_changes_nothing_in_production(registry: Registry, call: Callable[..., Called]) -> None:
    called = call("models", "reject", 3, "--yes")
    assert (called.code, called.out) == (0, "")
    assert "production does not serve it and stays as it is" in called.err
