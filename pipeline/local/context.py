"""What the parts of the engine share while one execution runs."""

from __future__ import annotations

import secrets
import string
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipeline.local.home import Home
from pipeline.local.processes import GRACE_SECONDS
from pipeline.local.runner import REPOSITORY, ProcessRunner, Runner
from pipeline.local.s3 import LocalS3
from pipeline.local.slots import Slots, cores
from pipeline.local.store import Store

_TOKEN = string.ascii_lowercase + string.digits


def token(length: int) -> str:
    """Return random lower-case letters and digits."""
    return "".join(secrets.choice(_TOKEN) for _ in range(length))


@dataclass(frozen=True)
class Context:
    """One execution and the machine it runs on. `stop` is set when the execution must end."""

    home: Home
    execution_arn: str
    store: Store
    s3: LocalS3
    slots: Slots
    runner: Runner = field(default_factory=ProcessRunner)
    containers: dict[str, Any] | None = None  # the engine of the execution's containers; None for processes
    stop: threading.Event = field(default_factory=threading.Event)
    functions: Path = REPOSITORY / "lambda"
    function_seconds: float = 600.0  # what the service lets a Lambda step take at most
    grace: float = GRACE_SECONDS

    @classmethod
    def open(cls, home: Home, execution_arn: str, **changes: Any) -> Context:  # noqa: ANN401
        """Return the context of an execution; `changes` replace members."""
        store = Store(home.database)
        members: dict[str, Any] = {"store": store, "s3": LocalS3(home.s3), "slots": Slots(cores())}
        if recorded := (store.get("execution", execution_arn) or {}).get("_containers"):
            from pipeline.local.containers.choice import choose
            from pipeline.local.containers.runner import ContainerRunner

            choice = choose(recorded)
            members |= {"runner": ContainerRunner(home, choice), "containers": choice.document()}
        return cls(home, execution_arn, **{**members, **changes})

    @property
    def execution_id(self) -> str:
        """The last part of the execution's ARN."""
        return self.execution_arn.rsplit("/", 1)[1]

    def arn(self, kind: str, name: str) -> str:
        """Return the ARN of something of this account, such as `training-job`."""
        account = self.execution_arn.split(":pipeline/", maxsplit=1)[0]
        return f"{account}:{kind}/{name}"


@dataclass(frozen=True)
class StepCall:
    """One attempt at a step: `arguments` and `body` have no expressions left; `width` is how many run beside it."""

    id: str
    name: str
    body: dict[str, Any]
    attempt: int
    width: int

    @property
    def arguments(self) -> dict[str, Any]:
        """The request that the service would send."""
        arguments: dict[str, Any] = self.body.get("Arguments", {})
        return arguments


@dataclass(frozen=True)
class StepResult:
    """What a step leaves: its properties for later steps, and the S3 addresses that a cache hit needs to be there."""

    properties: dict[str, Any]
    artifacts: tuple[str, ...] = ()
