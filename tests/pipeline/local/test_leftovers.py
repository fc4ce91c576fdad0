from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from pipeline.local.home import Home
from pipeline.local.leftovers import Leftover, leftovers, remove, wait_until_quiet
from pipeline.local.store import Store

Start = Callable[..., int]
SLEEP = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts a process that sleeps, and returns its number."""
    started: list[subprocess.Popen[bytes]] = []

    def one(*arguments: str, code: str = SLEEP, **environment: str) -> int:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments], env={**os.environ, **environment}, stdout=subprocess.PIPE
        )
        started.append(process)
        while not shows(process.pid, code):  # on a busy machine the system still has nothing of a new program
            time.sleep(0.001)
        if code == STUBBORN and process.stdout is not None:
            process.stdout.read(1)
        return process.pid

    yield one
    for process in started:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def server(start: Start, home: Home, endpoint: str, **more: str) -> int:
    folder = home.root / "endpoints" / endpoint / "config"
    folder.mkdir(parents=True, exist_ok=True)
    return start(SAGEMAKER_BASE_DIR=str(folder), **more)


def manager(start: Start, home: Home, endpoint: str) -> int:
    return start("pipeline.local.endpoints", endpoint, "3", BINCOUNT_HOME=str(home.root))


def shows(pid: int, code: str) -> bool:
    process = psutil.Process(pid)
    return code in process.cmdline() and bool(process.environ())


def ended(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_a_new_home_has_none(home: Home) -> None:
    assert leftovers(home) == []


def test_what_has_a_record_is_not_lost(home: Home, start: Start) -> None:
    server(start, home, "bins")
    manager(start, home, "bins")
    (home.root / "endpoints" / "bins.lock").touch()
    Store(home.database).create("endpoint", "bins", {"EndpointName": "bins"})
    assert leftovers(home) == []


def test_servers_managers_and_folders_without_a_record_go(
    home: Home, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.local.leftovers._LAST_WORDS", 0.1)
    own = server(start, home, "bins"), manager(start, home, "bins")
    theirs = server(start, Home(home.root.with_name("other")), "bins"), start(SAGEMAKER_BASE_DIR=str(home.jobs / "1"))
    (home.root / "endpoints" / "bins.lock").touch()
    (home.root / "endpoints" / "old").mkdir()
    found = leftovers(home)
    assert [(one.endpoint, set(one.processes), len(one.files)) for one in found] == [
        ("bins", set(own), 2),
        ("old", set(), 1),
    ]
    assert str(found[0]) == "2 processes and its folder of bins, which is gone"
    for one in found:
        remove(home, one)
    assert all(ended(pid) for pid in own)
    assert not any(ended(pid) for pid in theirs)
    assert leftovers(home) == []


def test_one_that_ignores_sigterm_is_killed(home: Home, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.local.leftovers.STOP_SECONDS", 0.1)
    pid = server(start, home, "bins", code=STUBBORN)
    remove(home, leftovers(home)[0])
    assert ended(pid)


def test_a_number_that_is_somebody_elses_by_now_is_left_alone(home: Home, start: Start) -> None:
    stranger = start()
    remove(home, Leftover("bins", (stranger, 2**30), ()))
    assert not ended(stranger)


def test_it_waits_for_functions_of_this_home_and_not_for_ever(home: Home, start: Start) -> None:
    start("pipeline.local.function_host", BINCOUNT_HOME=str(home.root.with_name("other")))
    brief = start("pipeline.local.deliveries", code="import time; time.sleep(0.5)", BINCOUNT_HOME=str(home.root))
    wait_until_quiet(home)
    assert ended(brief)
    start("pipeline.local.function_host", BINCOUNT_HOME=str(home.root))
    begin = time.monotonic()
    wait_until_quiet(home, 0.2)
    assert time.monotonic() - begin >= 0.2


def test_a_function_that_one_look_misses_is_waited_for(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def cmdline() -> list[str]:
        return ["python", "-m", "pipeline.local.deliveries"]

    function = SimpleNamespace(cmdline=cmdline, environ=lambda: {"BINCOUNT_HOME": str(home.root)})
    looks = iter([[], [function], [], []])
    monkeypatch.setattr(psutil, "process_iter", lambda: next(looks))
    wait_until_quiet(home)
    assert next(looks, None) is None
