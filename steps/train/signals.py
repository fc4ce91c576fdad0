"""SIGTERM: a wish that the loop sees after the step that it is in."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from types import FrameType

STOPPED = 128 + signal.SIGTERM  # the exit code of a process that a SIGTERM ended
PR_SET_PDEATHSIG = 1  # linux/prctl.h


class StopRequest:
    """Whether SIGTERM came. Making one installs the handler."""

    def __init__(self) -> None:
        self._asked = False
        signal.signal(signal.SIGTERM, self._ask)

    def _ask(self, _signal: int, _frame: FrameType | None) -> None:
        self._asked = True

    def __call__(self) -> bool:
        """Return whether the process was asked to stop."""
        return self._asked


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent is killed.

    torchrun puts its workers in sessions of their own, where no signal to a group reaches them, and a worker that
    trains on alone would write over its successor's work.
    """
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before the kernel was told
        os.kill(os.getpid(), signal.SIGKILL)
