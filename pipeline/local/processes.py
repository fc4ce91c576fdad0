"""Processes of this machine: started so that they outlive who starts them, and stopped in groups."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import psutil

from pipeline.local.home import Home
from pipeline.local.runner import REPOSITORY

GRACE_SECONDS = 120.0  # between SIGTERM and SIGKILL, as the service gives
_CLOCK_SLACK = 0.01  # seconds by which two readings of a process's start time may differ


def start_detached(home: Home, log: Path, module: str, *arguments: str, files: Collection[int] = ()) -> int:
    """Start a module of ours, detached from this process and its terminal, and return its process id.

    Args:
        home: the process's home and working directory.
        log: gets its output, appended.
        module: as python's -m takes it.
        arguments: of the module.
        files: descriptors that it inherits.

    Raises:
        OSError: the log cannot be written, or no process be started.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join(filter(None, [str(REPOSITORY), os.environ.get("PYTHONPATH")]))
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=home.root,
            env={**os.environ, "BINCOUNT_HOME": str(home.root), "PYTHONPATH": path},
            pass_fds=tuple(files),
            start_new_session=True,
        )
    # Waited for, should this process outlive it: else it would stay as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
    return process.pid


def started(pid: int) -> float | None:
    """Return when the process started, seconds since the epoch, or None where there is none."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def signal_group(pid: int, number: int) -> bool:
    """Send a signal to the process group led by `pid`; say whether there was one."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def stop_orphans(recorded: Iterable[tuple[int, float]], folder: Path, grace: float = GRACE_SECONDS) -> None:
    """Stop what a killed engine left of the job in `folder`: SIGTERM, then SIGKILL after `grace` seconds.

    A recorded process is known by its number and start time, for numbers are used again; anything it left behind, or
    that was started and not yet recorded, by the job's folder in its environment.
    """
    leaders = {pid for pid, start in recorded if abs((started(pid) or 0.0) - start) <= _CLOCK_SLACK}
    orphans = [psutil.Process(pid) for pid in leaders if psutil.pid_exists(pid)]
    orphans += [process for process in _of_folder(folder) if process.pid not in leaders]
    for process in orphans:
        _signal(process, signal.SIGTERM, leaders)
    deadline = time.monotonic() + grace
    while time.monotonic() < deadline and any(_running(process) for process in orphans):
        time.sleep(0.05)
    for process in [*orphans, *_of_folder(folder)]:
        _signal(process, signal.SIGKILL, leaders)


def _of_folder(folder: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            base = process.environ().get("SAGEMAKER_BASE_DIR", "")
        except (psutil.Error, OSError):
            continue
        if base and Path(base).is_relative_to(folder) and process.pid != os.getpid():
            yield process


def _running(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _signal(process: psutil.Process, number: int, leaders: set[int]) -> None:
    if process.pid in leaders:
        signal_group(process.pid, number)
        return
    with contextlib.suppress(psutil.Error):
        process.send_signal(number)
