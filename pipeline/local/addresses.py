"""Where local endpoints listen, for `curl` and for eyes: the service's own answers have no such member."""

from __future__ import annotations

from pipeline.local.endpoints.servers import lives
from pipeline.local.home import Home
from pipeline.local.store import Store


def addresses(home: Home, endpoint: str) -> list[str]:
    """Return the addresses of an endpoint's servers that run and take traffic.

    Servers do not outlive a restart of the machine: the next invocation starts them again, on other ports.
    """
    found = Store(home.database).get("endpoint", endpoint) or {}
    asked = [server for server in found.get("_servers", []) if server["weight"] and lives(server)]
    return [f"http://127.0.0.1:{server['port']}" for server in asked]
