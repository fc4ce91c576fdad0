"""The cores of this machine, shared by the jobs that run side by side."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.local.failures import StepStoppedError


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Slots:
    """A slot a core. A job takes one for each of its instances, never more than there are; first come, first served."""

    def __init__(self, total: int) -> None:
        self.total = total
        self._free = total
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    @contextmanager
    def take(self, instances: int, stop: threading.Event) -> Iterator[None]:
        """Hold the slots of a job. Raises StepStoppedError where `stop` is set before they are free."""
        wanted, ticket = min(instances, self.total), object()
        with self._changed:
            self._queue.append(ticket)
            try:
                # The first in the queue alone may take: small jobs must not starve a big one.
                while self._queue[0] is not ticket or self._free < wanted:
                    if stop.is_set():
                        raise StepStoppedError
                    self._changed.wait(0.2)
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()
            self._free -= wanted
        try:
            yield
        finally:
            with self._changed:
                self._free += wanted
                self._changed.notify_all()
