"""At most one manager at work on an endpoint.

The hold is the open file: it passes to a process that inherits the file, and ends with the last one that has it, so a
manager that was killed holds nothing.
"""

from __future__ import annotations

import contextlib
import fcntl
import os

from pipeline.local.endpoints.places import lock_file
from pipeline.local.home import Home


class Hold:
    """The right to change an endpoint's servers, as an open file."""

    def __init__(self, file: int) -> None:
        self.file = file

    def release(self) -> None:
        """Close the file; another process that inherited it holds on."""
        os.close(self.file)


def take(home: Home, endpoint: str) -> Hold | None:
    """Take the hold of an endpoint, or return None where a manager has it."""
    path = lock_file(home, endpoint)
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            return None
        if _is_at(file, str(path)):
            return Hold(file)
        os.close(file)  # it was removed, with its endpoint, between the two calls


def remove(home: Home, endpoint: str) -> None:
    """Remove the file; only who holds it may."""
    lock_file(home, endpoint).unlink(missing_ok=True)


def _is_at(file: int, path: str) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file), os.stat(path))  # noqa: PTH116 - the counterpart of fstat
    return False
