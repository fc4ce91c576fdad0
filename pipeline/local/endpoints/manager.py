"""What a manager process does: it looks at what the endpoint's record asks for, and does that to the end.

Every step starts from the record, so a manager that was killed is replaced by another that goes on where it was.
"""

from __future__ import annotations

import shutil
from typing import Any

from pipeline.local.aws.account import Account, arn
from pipeline.local.endpoints import lock
from pipeline.local.endpoints.deployment import Deployment, reason_of
from pipeline.local.endpoints.events import announce
from pipeline.local.endpoints.places import endpoint_folder
from pipeline.local.endpoints.plan import Plan
from pipeline.local.endpoints.servers import start_servers, stop_servers
from pipeline.local.endpoints.state import KIND, dead_servers, is_busy
from pipeline.local.runner import Runner

Endpoint = dict[str, Any]


def manage(account: Account, runner: Runner, name: str, hold: lock.Hold) -> None:
    """Do what there is to do, release the hold, and look once more: a change may have come in the last moment."""
    while True:
        try:
            changed = _work(account, runner, name)
        finally:
            hold.release()
        for endpoint, status in changed:
            # Only now: who hears of it may ask for the next change at once.
            announce(account, endpoint, status)
        again = is_busy(account.store.get(KIND, name)) and lock.take(account.home, name)
        if not again:
            return
        hold = again


def _work(account: Account, runner: Runner, name: str) -> list[tuple[Endpoint, str]]:
    """Do one thing; return the endpoint and the status to announce."""
    endpoint = account.store.get(KIND, name)
    if endpoint is None:
        _forget(account, name)
        return []
    status = endpoint["EndpointStatus"]
    if status == "InService":
        _revive(account, runner, endpoint)
        return []
    if status == "Deleting":
        announce(account, endpoint)
        return [(_delete(account, endpoint), "Deleted")]
    if is_busy(endpoint):
        ended = Deployment(account, runner, endpoint).run()
        return [(ended, ended["EndpointStatus"])]
    return []


def _delete(account: Account, endpoint: Endpoint) -> Endpoint:
    name = endpoint["EndpointName"]
    servers = [*endpoint["_servers"], *endpoint["_retiring"]]
    stop_servers(account.home, servers, endpoint_folder(account.home, name))
    shutil.rmtree(endpoint_folder(account.home, name), ignore_errors=True)
    with account.store.transaction() as transaction:
        transaction.delete("tags", arn(KIND, name))
        transaction.delete(KIND, name)
    # Last: until then nobody else may hold the name, for whom a new endpoint of it could look like this one.
    lock.remove(account.home, name)
    return endpoint


def _forget(account: Account, name: str) -> None:
    """Remove what a manager leaves that comes after the endpoint is gone."""
    shutil.rmtree(endpoint_folder(account.home, name), ignore_errors=True)
    lock.remove(account.home, name)


def _revive(account: Account, runner: Runner, endpoint: Endpoint) -> None:
    """Start again what has died, after a restart of the machine for instance. What cannot start stays as it is."""
    name, plan = endpoint["EndpointName"], Plan.of(endpoint["_live"])
    dead = [server["number"] for server in dead_servers(endpoint)]
    if not dead:
        return
    try:
        revived = {one["number"]: one for one in start_servers(account.home, runner, name, plan, dead)}
    except Exception as error:
        # Said whatever it was: an invocation waits for servers or for this, and starts manager after manager meanwhile.
        account.store.update(KIND, name, _revival={"time": account.now(), "error": reason_of(error)})
        return
    renewed = [revived.get(server["number"], server) for server in endpoint["_servers"]]
    account.store.update(KIND, name, _servers=renewed, _revival=None)
