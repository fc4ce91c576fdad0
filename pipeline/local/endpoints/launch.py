"""A manager's process: started when an endpoint has something to be done, unless one is at work."""

from __future__ import annotations

from pipeline.errors import UserError
from pipeline.local.aws.account import Account
from pipeline.local.endpoints import lock
from pipeline.local.endpoints.places import manager_log
from pipeline.local.endpoints.state import KIND, dead_servers, is_busy
from pipeline.local.home import ADVICE, Home
from pipeline.local.processes import start_detached


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
    arguments = (endpoint, str(hold.file))
    start_detached(home, manager_log(home, endpoint), "pipeline.local.endpoints", *arguments, files=[hold.file])
