"""The hosts of a job from start to end: processes watched, stopped, and how they ended."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from pipeline.local.jobs.log import JobLog
from pipeline.local.processes import GRACE_SECONDS, signal_group
from pipeline.local.runner import Launch, Runner

_TICKS = (0.01, 0.1)  # seconds between looks at the processes: of a job that has just begun, and of one that runs on
_PATIENCE = 0.05  # of the time that a job has run may pass before its end is seen
_FAILED_GRACE = 10.0  # seconds for the other hosts of a job that has failed: they may wait for the dead one for ever
_SHELL_SIGNAL = 128  # a shell, or Python for its children, reports a signal as 128 + its number


@dataclass(frozen=True)
class Ending:
    """How a job's hosts ended. `code` is the exit code of the host that decided it."""

    how: Literal["Completed", "Failed", "Killed", "Stopped", "MaxRuntimeExceeded"]
    host: str = ""
    code: int = 0


@dataclass
class Limits:
    """When a job must end: `stop` is set by the user, `seconds` by the StoppingCondition, `give_up` by a tuner."""

    stop: threading.Event
    seconds: float
    give_up: Callable[[], bool] = lambda: False
    grace: float = GRACE_SECONDS


class Hosts:
    """The running hosts of one job."""

    def __init__(self, runner: Runner, launches: Sequence[Launch], log: JobLog) -> None:
        self._log, self._runner = log, runner
        self._launches = {launch.host: launch for launch in launches}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        try:
            for launch in launches:
                self._processes[launch.host] = runner.start(launch)
        except BaseException:
            self._end(0.0)
            raise

    @property
    def pids(self) -> list[int]:
        """The processes that lead the hosts' groups."""
        return [process.pid for process in self._processes.values()]

    def wait(self, limits: Limits, watch: Callable[[list[str]], None]) -> Ending:
        """Wait for the job to end; `watch` gets the new log lines (perhaps none) some times a second."""
        begun = time.monotonic()
        try:
            while (ending := self._ending(limits, begun + limits.seconds)) is None:
                watch(self._log.pump())
                time.sleep(min(max(_TICKS[0], (time.monotonic() - begun) * _PATIENCE), _TICKS[1]))
            if ending.how != "Completed":
                failed = ending.how in {"Failed", "Killed"}
                self._end(min(limits.grace, _FAILED_GRACE) if failed else limits.grace)
        except BaseException:
            self._end(0.0)
            raise
        self._sweep()
        watch(self._log.pump(final=True))
        return ending

    def _ending(self, limits: Limits, deadline: float) -> Ending | None:
        codes = {host: process.poll() for host, process in self._processes.items()}
        for host, code in codes.items():
            if code:  # one host that fails ends the job
                killed = code < 0 or code == _SHELL_SIGNAL + signal.SIGKILL
                return Ending("Killed" if killed else "Failed", host, code)
        if all(code == 0 for code in codes.values()):
            return Ending("Completed")
        if limits.stop.is_set() or limits.give_up():
            return Ending("Stopped")
        return Ending("MaxRuntimeExceeded") if time.monotonic() > deadline else None

    def _end(self, grace: float) -> None:
        for process in self._processes.values():
            if process.poll() is None:
                signal_group(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + grace
        while time.monotonic() < deadline and any(process.poll() is None for process in self._processes.values()):
            time.sleep(_TICKS[0])
        self._sweep()
        for process in self._processes.values():
            process.wait()

    def _sweep(self) -> None:
        """Leave nothing behind: what a host started and did not end goes with it, as in a container."""
        # Of a process that was killed, its container may live on; one that ended by itself has no container any more.
        codes = {host: process.poll() for host, process in self._processes.items()}
        cut = [host for host, code in codes.items() if code is None or code < 0]
        for process in self._processes.values():
            signal_group(process.pid, signal.SIGKILL)
        for host in cut:
            self._runner.end(self._launches[host])
