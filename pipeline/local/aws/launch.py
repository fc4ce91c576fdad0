"""The engine's process: how it is started, and whether it still lives."""

from __future__ import annotations

from pathlib import Path

import psutil

from pipeline.local.home import Home
from pipeline.local.processes import start_detached


def engine_log(home: Home, execution_arn: str) -> Path:
    """Return the file that has the output of an execution's engine."""
    return home.root / "engines" / f"{execution_arn.rpartition('/')[2]}.log"


def start_engine(home: Home, execution_arn: str) -> int:
    """Start the engine of an execution, detached from this process and its terminal, and return its process id.

    Its output goes to `<home>/engines/<execution id>.log`. Raises OSError when it cannot be started.
    """
    return start_detached(home, engine_log(home, execution_arn), "pipeline.local.engine", execution_arn)


def engine_lives(pid: int, execution_arn: str, since: float) -> bool:
    """Say whether `pid` is the engine that worked on an execution at the time `since` (seconds).

    A process that started after that has the number of a dead engine, unless its command line names the execution.
    """
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
