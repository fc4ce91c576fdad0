from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from pipeline.local import aws, deliveries
from pipeline.local.deliveries import deliver
from pipeline.local.home import Home
from pipeline.local.store import Store

if TYPE_CHECKING:
    from tests.pipeline.local.conftest import Toy

ARN = "arn:aws:lambda:us-east-1:000000000000:function:bincount-deploy"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def store(home: Home) -> Store:
    return Store(home.database)


def workers(home: Home) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            if "pipeline.local.deliveries" in process.cmdline() and process.environ()["BINCOUNT_HOME"] == str(
                home.root
            ):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_many_events_at_once_reach_the_function_in_order_through_one_worker(
    home: Home, store: Store, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    started, run = [], subprocess.run

    def counted(*arguments: Any, **more: Any) -> subprocess.CompletedProcess[bytes]:
        started.append(arguments)
        return run(*arguments, **more)

    monkeypatch.setattr(subprocess, "run", counted)
    for number in range(12):
        deliver(home, store, ARN, json.dumps({"n": number}).encode())
    assert len(workers(home)) == 1
    assert toy.events() == [{"n": number} for number in range(12)]
    assert len(started) == 1


def test_the_worker_is_detached_and_leaves_nothing_behind(home: Home, store: Store, toy: Toy) -> None:
    toy.write("__import__('time').sleep(1)")
    before = set(psutil.Process().children())
    deliver(home, store, ARN, b"{}")
    (worker,) = workers(home)
    assert os.getpid() not in {parent.pid for parent in worker.parents()}
    assert os.getsid(worker.pid) != os.getsid(0)
    assert set(psutil.Process().children()) <= before
    assert toy.events() == [{}]
    deadline = time.monotonic() + 20
    while workers(home) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert workers(home) == []


def test_a_failing_call_is_tried_twice_more_then_dropped_with_a_word_in_the_log(
    home: Home, store: Store, toy: Toy
) -> None:
    toy.write("raise ValueError('no luck')")
    begun = time.monotonic()
    deliver(home, store, ARN, b'{"n": 1}')
    deliver(home, store, ARN, b'{"n": 2}')
    assert sorted(event["n"] for event in toy.events()) == [1, 1, 1, 2, 2, 2]
    assert time.monotonic() - begun > sum(deliveries.PAUSES)
    assert toy.log().count("ValueError: no luck\n") >= 6
    assert toy.log().count("DROPPED event") == 2
    assert store.find("delivery") == []


def test_an_event_waits_in_the_store_when_no_worker_can_be_started(
    home: Home, store: Store, toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sys, "executable", "/nowhere/python")
        deliver(home, store, ARN, b'{"n": 1}')
        while toy.busy() or "/nowhere/python" not in toy.log():
            time.sleep(0.02)
    assert len(store.find("delivery")) == 1
    deliver(home, store, ARN, b'{"n": 2}')
    assert toy.events() == [{"n": 1}, {"n": 2}]


def test_events_of_a_worker_that_was_killed_go_on_with_the_next_command(home: Home, store: Store, toy: Toy) -> None:
    toy.write("__import__('time').sleep(1)")
    deliver(home, store, ARN, b'{"n": 1}')
    deliver(home, store, ARN, b'{"n": 2}')
    for worker in workers(home):
        worker.kill()
    psutil.wait_procs(workers(home), 5)
    assert len(store.find("delivery")) == 2
    aws.session(home)
    aws.session(home)
    assert len(workers(home)) == 1
    assert toy.events()[-2:] == [{"n": 1}, {"n": 2}]
    assert store.find("delivery") == []


def test_an_event_that_ended_its_workers_or_is_too_old_is_dropped(home: Home, store: Store, toy: Toy) -> None:
    now = time.time()
    for id, attempts, created in (("killer", 3, now), ("old", 0, now - 7 * 3600)):
        body = {"id": id, "event": "{}", "attempts": attempts, "created": created, "due": created}
        store.create("delivery", id, body, "bincount-deploy")
    deliver(home, store, ARN, b'{"n": 1}')
    assert toy.events() == [{"n": 1}]
    assert toy.log().count("DROPPED") == 2


def test_what_a_function_starts_does_not_hold_its_queue(home: Home, store: Store, toy: Toy) -> None:
    toy.write(
        "import subprocess\n"
        "    started = subprocess.Popen(['sleep', '200'], close_fds=False, start_new_session=True)\n"
        "    open(os.environ['BINCOUNT_HOME'] + '/pid', 'w').write(str(started.pid))"
    )
    deliver(home, store, ARN, b"{}")
    assert toy.events() == [{}]
    process = psutil.Process(int((home.root / "pid").read_text()))
    try:
        assert not toy.busy()
        assert process.is_running()
    finally:
        process.kill()


def test_functions_have_queues_of_their_own(home: Home, store: Store, toy: Toy) -> None:
    toy.write("__import__('time').sleep(3 if event['n'] == 1 else 0)")
    toy.write("pass", "predict")
    deliver(home, store, ARN, b'{"n": 1}')
    deliver(home, store, ARN.replace("deploy", "predict"), b'{"n": 2}')
    while store.find("delivery", "bincount-predict"):
        time.sleep(0.02)
    assert len(store.find("delivery", "bincount-deploy")) == 1


@pytest.mark.parametrize("name", ["bincount-nobody", "../../escape", "x" * 65])
def test_a_function_that_does_not_exist_gets_nothing(home: Home, store: Store, toy: Toy, name: str) -> None:
    deliver(home, store, ARN.replace("bincount-deploy", name), b"{}")
    assert toy.events() == []
    logs = list(home.root.rglob("*.log"))
    assert [log.name for log in logs] == (["bincount-nobody.log"] if name == "bincount-nobody" else [])
