"""Events on their way to functions: Lambda's asynchronous calls, kept in the store until they are done.

A function has at most one worker, a process of its own that takes its deliveries one after the other: many events in a
short time make a queue, not a crowd of processes. `python -m pipeline.local.deliveries FUNCTION FOLDER LOCK`, where
LOCK is the descriptor of the function's lock, held from before the worker starts.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.local.functions import Function, call, find_function, log_path
from pipeline.local.home import Home
from pipeline.local.runner import REPOSITORY
from pipeline.local.store import Store

KIND = "delivery"
# Seconds before the second and the third attempt; the service waits 60 and 120.
PAUSES = (1.0, 2.0)
_OLDEST_SECONDS = 6 * 3600  # as on the service: what is older is dropped
_POLL_SECONDS = 0.1


def deliver(home: Home, store: Store, arn: str, event: bytes) -> None:
    """Queue an event (JSON) for a function, and see to it that a worker is there; return at once.

    A function that does not exist gets nothing, which its log tells.
    """
    function = find_function(arn)
    if function is None:
        _note(home, arn.rpartition(":")[2], "DROPPED an event: there is no such function")
        return
    now = time.time()
    id = str(uuid.uuid4())
    body = {"id": id, "function": arn, "event": event.decode(), "attempts": 0, "created": now, "due": now}
    store.create(KIND, id, body, function.name)
    _ensure_worker(home, function)


def resume(home: Home, store: Store) -> None:
    """See to it that events go on which wait because their worker was killed, as when the machine went down."""
    for arn in {delivery["function"] for delivery in store.find(KIND)}:
        if function := find_function(arn):
            # Whoever is here asked for something else: it is no worse off than before.
            with contextlib.suppress(OSError, subprocess.SubprocessError):
                _ensure_worker(home, function)


def _note(home: Home, name: str, line: str) -> None:
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name):
        log = log_path(home, name)
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("a", encoding="utf-8") as output:
            output.write(f"{line}\n")


def _ensure_worker(home: Home, function: Function) -> None:
    with _held(home, function) as lock:
        if lock is None:
            return  # a worker is there; it looks once more after it has let go of the lock
        command = [sys.executable, "-m", "pipeline.local.deliveries", function.name, str(function.folder), str(lock)]
        own = {"BINCOUNT_HOME": str(home.root), "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": "1"}
        with log_path(home, function.name).open("ab") as log:
            # The shell ends at once, so that the worker is nobody's child and needs nobody to wait for it.
            subprocess.run(
                ["/bin/sh", "-c", '"$@" &', "sh", *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **own},
                pass_fds=[lock],
                start_new_session=True,
                check=True,
            )


@contextlib.contextmanager
def _held(home: Home, function: Function) -> Iterator[int | None]:
    """Hold the function's lock and give its descriptor, or None where a worker holds it."""
    path = log_path(home, function.name).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield file.fileno()


def work(home: Home, function: Function, lock: int) -> None:
    """Take the function's deliveries until there are none, then let go of `lock`, the held lock's descriptor."""
    store = Store(home.database)
    os.set_inheritable(lock, False)
    while True:
        _drain(home, store, function)
        fcntl.flock(lock, fcntl.LOCK_UN)
        # What came between the last look and letting go found the lock held, and started no worker.
        if not store.find(KIND, function.name):
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return


def _drain(home: Home, store: Store, function: Function) -> None:
    while waiting := store.find(KIND, function.name):
        first = min(waiting, key=lambda delivery: float(delivery["due"]))
        if first["due"] > time.time():
            time.sleep(_POLL_SECONDS)
            continue
        _attempt(home, store, function, first)


def _attempt(home: Home, store: Store, function: Function, delivery: dict[str, Any]) -> None:
    id, attempts = delivery["id"], delivery["attempts"] + 1
    # Counted first: an event that brings the worker down does so three times at most.
    store.update(KIND, id, attempts=attempts)
    if attempts > len(PAUSES) + 1 or time.time() - delivery["created"] > _OLDEST_SECONDS:
        print(f"DROPPED event of delivery {id}: {delivery['event']}")
        store.delete(KIND, id)
        return
    answer = call(home, function, delivery["event"].encode())
    if not answer.failed:
        store.delete(KIND, id)
        return
    pause = PAUSES[attempts - 1] if attempts <= len(PAUSES) else 0.0
    store.update(KIND, id, due=time.time() + pause)
    document = json.loads(answer.payload)
    print(f"FAILED attempt {attempts} of delivery {id}: {document['errorType']}: {document['errorMessage']}")


def main(name: str, folder: Path, lock: int) -> None:
    """Work for one function."""
    # The shell has what it puts in the background ignore interrupts, which functions and their servers would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    function = find_function(name, folder)
    if function is not None:
        work(Home.find(), function, lock)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
