from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.aws import deployment, inspection
from pipeline.aws.deployment import Deployment
from pipeline.aws.models import Execution
from pipeline.cli import concluding, staging
from pipeline.cli.concluding import conclude
from pipeline.cli.options import INTERRUPTED, Target
from pipeline.cli.outcome import Outcome
from pipeline.cli.staging import Request, advice, current, requested, text
from pipeline.errors import UserError

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Make

ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package/bincount-demo/3"
OUTPUTS = {"OutputParameters": [{"OutputName": "EndpointName", "OutputType": "String"}]}
DEPLOY: dict[str, Any] = {"Name": "Deploy", "Type": "Lambda", **OUTPUTS}
GATE = {"Name": "Gate", "Type": "Condition", "Arguments": {"IfSteps": [DEPLOY]}}
PASSED = Deployment("staging", "bincount-demo-staging", 3, "Passed", "", "", "InService", 3)


def execution(make: Make, deploy: str = "Succeeded", **members: Any) -> Execution:
    steps = make.step("Register", made=ARN), make.step("Deploy", deploy, kind="Lambda")
    return make.execution(*steps, **{"status": "Succeeded", **members})


def test_a_version_and_a_function_that_names_an_endpoint_ask_for_staging(make: Make) -> None:
    asked = requested(execution(make), {"Steps": [GATE]})
    assert asked == Request(ARN, make.ago(60))
    assert requested(execution(make, "Failed"), {"Steps": [GATE]}) is None
    assert requested(make.execution(make.step("Deploy", kind="Lambda")), {"Steps": [GATE]}) is None


@pytest.mark.parametrize(
    "step",
    [
        {"Name": "Deploy", "Type": "Processing", **OUTPUTS},
        {"Name": "Deploy", "Type": "Lambda", "OutputParameters": [{"OutputName": "Version"}]},
        {"Name": "Deploy", "Type": "Lambda"},
    ],
)
def test_other_steps_do_not(step: dict[str, Any], make: Make) -> None:
    assert requested(execution(make), {"Steps": [step]}) is None


def test_the_line_has_the_time_from_the_step_to_the_verdict(make: Make) -> None:
    asked = Request(ARN, make.ago(60))

    def decided(time: str) -> str:
        return text(asked, Deployment(*("staging", "e", 3, "Passed", "", time, "InService", 3)))

    assert decided((make.ago(60) + timedelta(seconds=4.7)).isoformat()) == "e is InService, smoke test passed (0:04)"
    assert decided("2026-11-22T11:59:00Z").endswith("(0:00)")
    assert decided("2020-01-01T00:00:00Z").endswith("(0:00)")  # clocks differ
    for unknown in ("", "soon", "2026-11-22T11:59:00"):
        assert decided(unknown) == "e is InService, smoke test passed"
    assert text(Request(ARN, None), PASSED).endswith("passed")


def test_what_cannot_be_read_does_not_hide_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise UserError("no")

    monkeypatch.setattr(deployment, "deployment", refuse)
    assert current(None, Request(ARN, None)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("groups", "command"),
    [
        (["bincount-demo"], "bincount models approve 3"),
        (["bincount-demo", "bincount-local"], "bincount models approve 3 --profile demo"),
    ],
)
def test_the_advice_names_the_profile_where_it_is_needed(
    groups: list[str], command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "groups", lambda *_: groups)
    assert advice(None, Request(ARN, None)) == command  # type: ignore[arg-type]


def test_the_outcome_has_the_lines() -> None:
    told = Outcome("Succeeded", 1.0, version="v", staging="s", report="r", approve="a")
    assert [word for word, _ in told.lines()] == ["succeeded", "model", "staging", "report", "approve"]


@pytest.fixture
def finished(monkeypatch: pytest.MonkeyPatch) -> list[Execution]:
    """Give the executions whose end was printed."""
    told: list[Execution] = []
    monkeypatch.setattr(concluding, "finish", lambda _session, _target, one: told.append(one))
    return told


def concluded(monkeypatch: pytest.MonkeyPatch, one: Execution, came: Deployment | BaseException | None) -> int:
    def verdict(*_: object) -> Deployment | None:
        if isinstance(came, BaseException):
            raise came
        return came

    monkeypatch.setattr(staging, "verdict", verdict)
    return conclude(None, Target.LOCAL, one)  # type: ignore[arg-type]


def test_the_exit_code_is_the_executions_and_stagings(
    make: Make, finished: list[Execution], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = Deployment("staging", "e", 3, "Failed", "no", "", "InService", 2)
    assert concluded(monkeypatch, execution(make), None) == 0
    assert concluded(monkeypatch, execution(make), PASSED) == 0
    assert concluded(monkeypatch, execution(make), failed) == 1
    assert concluded(monkeypatch, execution(make, status="Failed"), AssertionError("nobody waits")) == 1
    assert capsys.readouterr().err == ""
    assert len(finished) == 4


def test_leaving_and_waiting_too_long_are_said_after_the_end(
    make: Make, finished: list[Execution], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert concluded(monkeypatch, execution(make), KeyboardInterrupt()) == INTERRUPTED
    assert "left: the deployment goes on; `bincount status m08kb4bksw24` tells" in capsys.readouterr().err
    assert concluded(monkeypatch, execution(make), UserError("no verdict")) == 1
    assert capsys.readouterr().err == "no verdict\n"
    assert len(finished) == 2
