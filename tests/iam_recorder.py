"""Holds the AWS calls that the tests make against the list in `tests/infra/calls.json`, by component.

The list is what the roles of the template are proved with (`tests/infra/test_permissions.py`). A test that makes a call
which is not in it fails; a run of all tests fails when something in it is no longer called. `pytest --record-calls`
writes it: all of it after all tests, what is new after some.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import iam_calls
from tests.iam_calls import FILE, RECORDING, ROOT, Calls

SNAPSHOT = ROOT / "tests" / "infra" / "calls.json"
_KNOWN = pytest.StashKey[Calls]()
_FILE = pytest.StashKey[Path]()


def snapshot() -> Calls:
    """Return the list of the last recording."""
    listed: dict[str, list[str]] = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    return {component: set(calls) for component, calls in listed.items()}


def beyond(calls: Calls, known: Calls) -> list[str]:
    """Return, a line each, what is in `calls` and not in `known`."""
    return sorted(
        f"{component} {call}" for component, made in calls.items() for call in made - known.get(component, set())
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-calls", action="store_true", help="write tests/infra/calls.json, the AWS calls made")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_KNOWN] = snapshot() if SNAPSHOT.is_file() else {}
    handle, name = tempfile.mkstemp(prefix="bincount-calls-")
    os.close(handle)
    config.stash[_FILE] = Path(name)
    os.environ[FILE] = name
    os.environ["PYTHONPATH"] = os.pathsep.join([str(RECORDING), *filter(None, [os.environ.get("PYTHONPATH")])])
    iam_calls.install()


def pytest_unconfigure(config: pytest.Config) -> None:
    os.environ.pop(FILE, None)
    if _FILE in config.stash:
        config.stash[_FILE].unlink(missing_ok=True)


def gathered(config: pytest.Config) -> Calls:
    """Return the calls of this process and of its children so far."""
    calls = {component: set(made) for component, made in iam_calls.seen.items()}
    for line in config.stash[_FILE].read_text(encoding="utf-8").splitlines():
        component, _, call = line.partition("\t")
        calls.setdefault(component, set()).add(call)
    return calls


@pytest.fixture(autouse=True)
def only_known_calls(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that makes an AWS call which no role was given for."""
    yield
    known = request.config.stash[_KNOWN]
    new = [] if request.config.option.record_calls else beyond(gathered(request.config), known)
    for one in new:  # told once
        component, _, call = one.rpartition(" ")
        known.setdefault(component, set()).add(call)
    assert not new, f"calls that tests/infra/calls.json lacks: {new}; if they are meant: pytest --record-calls"


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist has seen."""
    for component, calls in node.workeroutput.get("calls", {}).items():
        iam_calls.seen.setdefault(component, set()).update(calls)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    made, known = gathered(config), config.stash[_KNOWN]
    if hasattr(config, "workeroutput"):
        config.workeroutput["calls"] = {component: sorted(calls) for component, calls in made.items()}
        return
    whole = exitstatus == 0 and is_whole(config)
    if config.option.record_calls:
        write(made if whole else {name: made.get(name, set()) | known.get(name, set()) for name in {*made, *known}})
    elif whole and (stale := beyond(known, made)):
        print(f"\nno longer called, though tests/infra/calls.json says so: {stale}; pytest --record-calls")
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def is_whole(config: pytest.Config) -> bool:
    """Return whether a run is of all tests."""
    chosen = config.option.keyword or config.option.markexpr or config.option.deselect
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS and not chosen


def write(calls: Calls) -> None:
    """Write the list, in order."""
    text = json.dumps({name: sorted(made) for name, made in sorted(calls.items())}, indent=1)
    SNAPSHOT.write_text(f"{text}\n", encoding="utf-8")
