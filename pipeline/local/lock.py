"""At most one engine on an execution."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipeline.errors import UserError
from pipeline.local.home import Home


def _path(home: Home, execution_arn: str) -> Path:
    return home.root / "engines" / f"{execution_arn.rsplit('/', 1)[1]}.lock"


@contextmanager
def engine_lock(home: Home, execution_arn: str) -> Iterator[None]:
    """Hold the execution. Raises UserError where another engine holds it; a killed engine's hold ends with it."""
    path = _path(home, execution_arn)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Jobs must not inherit the file, or an orphan would keep the hold: Python opens files close-on-exec.
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UserError(f"an engine is already at work on {execution_arn}") from None
        yield
