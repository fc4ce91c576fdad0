from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pipeline.aws.logs import Line, Page
from pipeline.aws.models import Job
from pipeline.cli import joblogs
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.aws.models import Execution
    from tests.pipeline.cli.conftest import Make


def told(execution: Execution, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    def read(_: object, job: object, tokens: object = None) -> Page:
        name = getattr(job, "name", "")
        return Page((Line("algo-1", f"{name} a"), Line("algo-2", f"{name} b")))

    monkeypatch.setattr(joblogs, "describe", lambda *_: execution)
    monkeypatch.setattr(joblogs, "read", read)
    return lambda step: list(joblogs.step_lines(None, "arn", step, follow=False))  # type: ignore[arg-type]


def test_a_tuning_steps_log_is_that_of_its_trials(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    trials = make.trial(name="t1"), make.trial(name="t2")
    log = told(make.execution(make.step("Tune", trials=trials, job=Job("tuning", "tune"))), monkeypatch)
    assert log("Tune") == ["--- trial 1: t1", "t1 a", "[algo-2] t1 b", "--- trial 2: t2", "t2 a", "[algo-2] t2 b"]
    assert log("Tune/2") == ["t2 a", "[algo-2] t2 b"]
    with pytest.raises(UserError, match="has no trial '3': it has 2"):
        log("Tune/3")
