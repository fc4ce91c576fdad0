from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.aws import deployment
from pipeline.aws.deployment import Deployment
from pipeline.cli.options import Target
from pipeline.cli.waiting import progress_text, verdict_text, wait_for_verdict
from pipeline.errors import UserError


def at(status: str, endpoint: str = "InService", serving: int | None = 3, **members: Any) -> Deployment:
    reason = members.pop("reason", "")
    return Deployment("staging", "bincount-demo-staging", 3, status, reason, "", endpoint, serving, **members)


@pytest.mark.parametrize(
    ("deployed", "seconds", "text"),
    [
        (at("Passed"), 4.2, "bincount-demo-staging is InService, smoke test passed (0:04)"),
        (at("Passed"), None, "bincount-demo-staging is InService, smoke test passed"),
        (at("Failed", serving=2, reason="it\nmiscounts"), 1.0, "failed: it miscounts; version 2 stays in service"),
        (at("RolledBack", serving=2), None, "rolled back: no reason is known; version 2 stays in service"),
        (at("Failed", "", None, reason="no"), None, "failed: no; bincount-demo-staging is not there"),
        (at("Failed", reason="no"), None, "failed: no; bincount-demo-staging is InService"),
        (at("Deploying", "Updating", 2), None, "deploying, bincount-demo-staging is Updating"),
        (at("", "", None), None, "not deployed yet, bincount-demo-staging is not there"),
    ],
)
def test_a_verdict_in_words(deployed: Deployment, seconds: float | None, text: str) -> None:
    assert verdict_text(deployed, seconds) == text


def test_progress_in_words() -> None:
    assert progress_text(at("Deploying", "Creating")) == (
        "staging    version 3 deploying, bincount-demo-staging is Creating"
    )
    assert progress_text(at("", "", None)) == (
        "staging    version 3 not deployed yet, bincount-demo-staging is not there"
    )
    for brought_back in (
        at("Passed", "Updating", 4, pending=True),
        at("Passed", pending=True),
        at("Passed", serving=4),
    ):
        assert progress_text(brought_back).startswith("staging    version 3 comes back, ")


def waits(monkeypatch: pytest.MonkeyPatch, *seen: Deployment) -> list[dict[str, Any]]:
    asked: list[dict[str, Any]] = []

    def wait_for(*_: object, **given: Any) -> Iterator[Deployment]:
        asked.append(given)
        yield from seen

    monkeypatch.setattr(deployment, "wait_for", wait_for)
    return asked


def wait(target: Target = Target.LOCAL, **more: Any) -> Deployment:
    return wait_for_verdict(None, target, "arn", "staging", **more)  # type: ignore[arg-type]


def test_each_change_is_a_line_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = waits(monkeypatch, at("Requested", "", None), at("Deploying", "Creating", None), at("Passed"))
    assert wait() == at("Passed")
    assert asked == [{"anew": False, "every": 0.3, "timeout": 120.0, "outage": None}]
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 3
    waits(monkeypatch, at("Failed", serving=2))
    assert wait().failed


@pytest.mark.parametrize(
    ("seen", "anew", "state"),
    [
        ([at("Deploying", "Updating", 2)], False, "bincount-demo-staging is Updating"),
        ([at("Passed", serving=2)], True, "bincount-demo-staging is InService"),
        ([at("Passed", pending=True)], False, "bincount-demo-staging is InService"),
        ([], False, "the service throttles"),
    ],
)
def test_no_verdict_in_time_is_one_line_with_advice(
    seen: list[Deployment], anew: bool, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits(monkeypatch, *seen)
    with pytest.raises(UserError) as caught:
        wait(anew=anew)
    assert str(caught.value) == f"staging: no verdict within 2:00, {state}: `bincount endpoint reconcile` asks again"
    with pytest.raises(UserError, match=r"no verdict within 30:00, .*`bincount endpoint reconcile --target aws`"):
        wait(Target.AWS, anew=anew)
