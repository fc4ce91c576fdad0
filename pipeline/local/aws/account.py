"""The local account: its number, its region, its state, and how an engine is started in it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.local.home import Home
from pipeline.local.store import Store

ACCOUNT = "000000000000"
REGION = "us-east-1"
BUCKET = "bincount-local"

Launcher = Callable[[Home, str], int]


@dataclass(frozen=True)
class Account:
    """What every operation works on."""

    home: Home
    store: Store
    launch: Launcher
    containers: Mapping[str, Any] | None = None
    """The engine for the containers of executions that are started; None for processes."""

    def now(self) -> float:
        """Return the time in seconds since 1970."""
        return time.time()


def arn(kind: str, name: str) -> str:
    """Return the ARN of a SageMaker resource of the local account, as `arn("pipeline", "bincount")`."""
    return f"arn:aws:sagemaker:{REGION}:{ACCOUNT}:{kind}/{name}"


def name_of(name_or_arn: str, kind: str) -> str:
    """Return the name in what may be a name or an ARN of `kind`."""
    return name_or_arn.removeprefix(arn(kind, ""))
