"""What an endpoint's record says there is to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.local.endpoints.servers import lives

KIND = "endpoint"
BUSY = ("Creating", "Updating", "RollingBack", "Deleting")


def is_busy(endpoint: Mapping[str, Any] | None) -> bool:
    """Say whether the endpoint is in a transition, which a manager must be at work on."""
    return endpoint is not None and endpoint["EndpointStatus"] in BUSY


def dead_servers(endpoint: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the records of the servers that should run and do not, as after a restart of the machine."""
    return [server for server in endpoint["_servers"] if not lives(server)]
