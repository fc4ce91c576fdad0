"""The command line as users call it, an account of their own, and executions in it."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.aws.models import Execution, Step, Trial
from pipeline.cli.main import main
from pipeline.local.s3 import LocalS3

CHURN = Path(__file__).parents[2] / "fixtures" / "definitions" / "churn.json"
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ARN = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/bincount-demo/execution/m08kb4bksw24"


@dataclass(frozen=True)
class Called:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


def run_command(*arguments: object) -> Called:
    out, err, code = io.StringIO(), io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main([str(argument) for argument in arguments])
        except SystemExit as exit_:
            code = int(exit_.code or 0)
    return Called(code, out.getvalue(), err.getvalue())


@pytest.fixture(scope="session")
def call() -> Callable[..., Called]:
    """Return a function that runs a command line."""
    return run_command


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a new account, which commands use from here on."""
    monkeypatch.setenv("BINCOUNT_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "home"


@dataclass(frozen=True)
class Ran:
    """Two executions of a small pipeline that is not ours: one that passed its gate, then one that did not."""

    home: Path
    passed: Called
    failed: Called


@pytest.fixture(scope="session")
def _ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    home = tmp_path_factory.mktemp("account") / "home"
    LocalS3(home / "s3").put_bytes("s3://analytics/raw/a.csv", b"1\n2\n")
    before = os.environ.get("BINCOUNT_HOME")
    os.environ["BINCOUNT_HOME"] = str(home)
    try:
        passed = run_command("run", "--definition", CHURN, "--name", "good")
        failed = run_command("run", "--definition", CHURN, "--name", "weak", "-p", "MinimumScore=0.7")
    finally:
        if before is None:
            del os.environ["BINCOUNT_HOME"]
        else:
            os.environ["BINCOUNT_HOME"] = before
    return Ran(home, passed, failed)


@pytest.fixture
def ran(_ran: Ran, monkeypatch: pytest.MonkeyPatch) -> Ran:
    """Give the account with two executions; nothing in it is changed."""
    monkeypatch.setenv("BINCOUNT_HOME", str(_ran.home))
    return _ran


class Make:
    """Executions, as `pipeline.aws` gives them, at a time of our own."""

    now = NOW

    @staticmethod
    def ago(seconds: float) -> datetime:
        return NOW - timedelta(seconds=seconds)

    def step(self, name: str, status: str = "Succeeded", **members: Any) -> Step:
        started = None if status == "Waiting" else self.ago(60)
        ended = self.ago(30) if status in {"Succeeded", "Failed", "Stopped"} else None
        return Step(
            **{"name": name, "kind": "Processing", "status": status, "started": started, "ended": ended, **members}
        )

    def trial(self, status: str = "Completed", objective: float | None = 0.5, **members: Any) -> Trial:
        return Trial(
            **{
                "name": f"trial-{status}-{objective}",
                "status": status,
                "created": self.ago(50),
                "ended": None if status == "InProgress" else self.ago(40),
                "hyperparameters": {"learning_rate": "0.00178301"},
                "objective": objective,
                "metrics": {},
                "reason": None,
                **members,
            }
        )

    def execution(self, *steps: Step, status: str = "Executing", **members: Any) -> Execution:
        known = {"arn": ARN, "name": "mine", "started": self.ago(100), "changed": self.ago(10)}
        return Execution(**{**known, "status": status, "steps": steps, **members})


@pytest.fixture(scope="session")
def make() -> Make:
    return Make()
