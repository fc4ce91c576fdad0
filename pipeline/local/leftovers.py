"""What is left of local endpoints whose record is gone: servers, managers, folders.

A home that was deleted in part, a process that was killed at the wrong moment: nobody else would ever stop these.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import psutil

from pipeline.local.aws.launch import engine_lives
from pipeline.local.containers.sweeping import Stray, containers, stop
from pipeline.local.endpoints.places import endpoint_folder, lock_file
from pipeline.local.endpoints.servers import STOP_SECONDS
from pipeline.local.home import Home
from pipeline.local.store import Store

_MANAGER = "pipeline.local.endpoints"
_WORKERS = frozenset({_MANAGER, "pipeline.local.deliveries", "pipeline.local.function_host"})
_LOOKS = 2  # in a row that see nothing at work
_TICK = 0.1
JOBS = "jobs (whose engine was killed)"
"""Stands for an endpoint's name where containers of jobs are left: no endpoint can be called so."""
_LAST_WORDS = 5.0  # seconds in which a manager that has just removed its endpoint ends by itself


@dataclass(frozen=True)
class Leftover:
    """What is left of one endpoint."""

    endpoint: str
    processes: tuple[int, ...]
    files: tuple[Path, ...]
    containers: tuple[Stray, ...] = ()

    def __str__(self) -> str:
        """Return it as one says it."""
        count, contained = len(self.processes), len(self.containers)
        parts = [f"{count} process{'es' * (count > 1)}"] * bool(count) + ["its folder"] * bool(self.files)
        parts += [f"{contained} container{'s' * (contained > 1)}"] * bool(contained)
        return f"{' and '.join(parts)} of {self.endpoint}, which is gone"


def leftovers(home: Home) -> list[Leftover]:
    """Return what is left of this home's endpoints that have no record, by name. Raises UserError: unusable home."""
    processes: dict[str, list[int]] = defaultdict(list)
    for process in psutil.process_iter():
        if (endpoint := _endpoint_of(process, home)) is not None:
            processes[endpoint].append(process.pid)
    folder = home.root / "endpoints"
    strays = defaultdict[str, list[Stray]](list)
    for stray in containers(home):
        strays[_owner(home, stray)].append(stray)
    kept = [path.stem if path.suffix == ".lock" else path.name for path in folder.iterdir()] if folder.is_dir() else []
    # Read last: what was made while we looked has a record by now.
    store = Store(home.database)
    if _engine_runs(store):
        strays.pop(JOBS, None)  # they are watched
    lost = [name for name in sorted({*processes, *kept, *strays}) if store.get("endpoint", name) is None]
    return [
        Leftover(name, tuple(processes.get(name, ())), _files(home, name), tuple(strays.get(name, ()))) for name in lost
    ]


def _owner(home: Home, stray: Stray) -> str:
    """Return the endpoint that a container serves, or JOBS."""
    folder = home.root / "endpoints"
    return stray.base.relative_to(folder).parts[0] if stray.base.is_relative_to(folder) else JOBS


def _engine_runs(store: Store) -> bool:
    return any(
        execution.get("_engine_pid") is not None
        and engine_lives(execution["_engine_pid"], execution["PipelineExecutionArn"], execution["LastModifiedTime"])
        for execution in store.find("execution")
        if execution["PipelineExecutionStatus"] in {"Executing", "Stopping"}
    )


def remove(home: Home, leftover: Leftover) -> None:
    """Stop the processes, SIGTERM first, and remove the folder. Raises OSError where it cannot be removed."""
    processes = [process for pid in leftover.processes if (process := _process(pid, leftover.endpoint, home))]
    managers = [process for process in processes if _is_manager(process)]
    psutil.wait_procs(managers, _LAST_WORDS)
    for process in processes:
        _send(process, "terminate")
    stubborn = psutil.wait_procs(processes, STOP_SECONDS)[1]
    for process in stubborn:
        _send(process, "kill")
    stop(leftover.containers, STOP_SECONDS)
    psutil.wait_procs(stubborn, STOP_SECONDS)  # else one could still write into the folder that goes now
    for path in _files(home, leftover.endpoint):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def wait_until_quiet(home: Home, seconds: float = 10.0) -> None:
    """Wait until no manager and no function of this home is at work, at most so long.

    They go on after the endpoints are gone: what was deleted is an event, which functions hear of. One look is not
    enough: a process that has just been started shows neither its arguments nor its environment for a moment.
    """
    deadline, quiet = time.monotonic() + seconds, 0
    while quiet < _LOOKS and time.monotonic() < deadline:
        quiet = 0 if any(_works(process, home) for process in psutil.process_iter()) else quiet + 1
        time.sleep(_TICK)


def _works(process: psutil.Process, home: Home) -> bool:
    try:
        return not _WORKERS.isdisjoint(process.cmdline()) and process.environ().get("BINCOUNT_HOME") == str(home.root)
    except (psutil.Error, OSError):
        return False


def _files(home: Home, endpoint: str) -> tuple[Path, ...]:
    paths = endpoint_folder(home, endpoint), lock_file(home, endpoint)
    return tuple(path for path in paths if path.exists())


def _endpoint_of(process: psutil.Process, home: Home) -> str | None:
    """Return the endpoint that a server serves or a manager manages, where it is one of this home's."""
    try:
        environment = process.environ()
        if environment.get("BINCOUNT_HOME") == str(home.root) and _is_manager(process):
            line = process.cmdline()
            return line[line.index(_MANAGER) + 1]
    except (psutil.Error, OSError, IndexError):
        return None
    base, folder = Path(environment.get("SAGEMAKER_BASE_DIR", "")), home.root / "endpoints"
    own = process.pid == os.getpid() or not base.is_relative_to(folder) or base == folder
    return None if own else base.relative_to(folder).parts[0]


def _is_manager(process: psutil.Process) -> bool:
    try:
        return _MANAGER in process.cmdline()
    except (psutil.Error, OSError):
        return False


def _process(pid: int, endpoint: str, home: Home) -> psutil.Process | None:
    """Return the process, where the number still is that one's."""
    try:
        process = psutil.Process(pid)
    except psutil.Error:
        return None
    return process if _endpoint_of(process, home) == endpoint else None


def _send(process: psutil.Process, how: str) -> None:
    try:
        getattr(process, how)()
    except psutil.Error:
        return  # it has ended
