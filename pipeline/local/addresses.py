"""Where local endpoints listen, for `curl` and for eyes: the service's own answers have no such member."""

from __future__ import annotations

from pipeline.local.home import Home
from pipeline.local.store import Store


def addresses(home: Home, endpoint: str) -> list[str]:
    """Return the addresses of an endpoint's servers that take traffic; none where it has none."""
    found = Store(home.database).get("endpoint", endpoint) or {}
    return [f"http://127.0.0.1:{server['port']}" for server in found.get("_servers", []) if server.get("weight", 1)]
