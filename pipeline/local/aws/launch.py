"""The engine's process: how it is started, and whether it still lives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from pipeline.local.home import Home

_ROOT = Path(__file__).resolve().parents[3]
_children: list[int] = []


def engine_log(home: Home, execution_arn: str) -> Path:
    """Return the file that has the output of an execution's engine."""
    return home.root / "engines" / f"{execution_arn.rpartition('/')[2]}.log"


def start_engine(home: Home, execution_arn: str) -> int:
    """Start the engine of an execution, detached from this process and its terminal, and return its process id.

    Its output goes to `<home>/engines/<execution id>.log`. Raises OSError when it cannot be started.
    """
    log = engine_log(home, execution_arn)
    log.parent.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.local.engine", execution_arn],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=home.root,
            env={**os.environ, "BINCOUNT_HOME": str(home.root), "PYTHONPATH": path},
            start_new_session=True,
        )
    process.returncode = 0  # as if it had ended: else Python warns, when it ends itself, that the engine runs on
    _children.append(process.pid)
    return process.pid


def _reap() -> None:
    """Let go of engines that have ended: until then they are there as zombies."""
    for pid in tuple(_children):
        try:
            ended, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            ended = pid
        if ended:
            _children.remove(pid)


def engine_lives(pid: int, execution_arn: str, since: float) -> bool:
    """Say whether `pid` is the engine that worked on an execution at the time `since` (seconds).

    A process that started after that has the number of a dead engine, unless its command line names the execution.
    """
    _reap()
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        # Clocks may be set while an engine runs: hence the seconds of grace.
        return process.create_time() <= since + 5 or execution_arn in process.cmdline()
    except psutil.AccessDenied:
        return True
    except psutil.NoSuchProcess:
        return False
