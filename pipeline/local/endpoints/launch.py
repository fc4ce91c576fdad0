"""A manager's process: started when an endpoint has something to be done, unless one is at work."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from pipeline.errors import UserError
from pipeline.local.aws.account import Account
from pipeline.local.endpoints import lock
from pipeline.local.endpoints.places import manager_log
from pipeline.local.endpoints.state import KIND, dead_servers, is_busy
from pipeline.local.home import ADVICE, Home

_ROOT = Path(__file__).resolve().parents[3]


def ensure_manager(account: Account, endpoint: str) -> None:
    """Start a manager if the endpoint needs one, unless one is at work: that one looks once more before it ends.

    Raises UserError where the home cannot be written, or no process be started.
    """
    try:
        _ensure(account, endpoint)
    except OSError as error:
        raise UserError(f"the manager of endpoint {endpoint} cannot be started: {error}: {ADVICE}") from None


def _ensure(account: Account, endpoint: str) -> None:
    hold = lock.take(account.home, endpoint)
    if hold is None:
        return
    try:
        found = account.store.get(KIND, endpoint)
        if found is None:
            lock.remove(account.home, endpoint)
        elif is_busy(found) or dead_servers(found):
            start_manager(account.home, endpoint, hold)
    finally:
        hold.release()


def start_manager(home: Home, endpoint: str, hold: lock.Hold) -> None:
    """Start a manager, detached from this process and its terminal, and give it the hold."""
    log = manager_log(home, endpoint)
    log.parent.mkdir(parents=True, exist_ok=True)
    path = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.local.endpoints", endpoint, str(hold.file)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=home.root,
            env={**os.environ, "BINCOUNT_HOME": str(home.root), "PYTHONPATH": path},
            pass_fds=[hold.file],
            start_new_session=True,
        )
    # Waited for, should this process outlive it: else it would stay as a zombie.
    threading.Thread(target=process.wait, daemon=True).start()
