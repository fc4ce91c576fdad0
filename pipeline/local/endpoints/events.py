"""The events that an endpoint's transitions raise."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipeline.local.aws.account import Account
from pipeline.local.aws.tags import read_tags

_SHOWN = ("EndpointName", "EndpointArn", "EndpointConfigName", "ProductionVariants")


def announce(account: Account, endpoint: Mapping[str, Any], status: str | None = None) -> None:
    """Tell the bus what an endpoint's status is now, in the shape of the service's event."""
    from pipeline.local.aws.bus import emit

    status = status or endpoint["EndpointStatus"]
    detail = {
        **{name: endpoint[name] for name in _SHOWN if name in endpoint},
        "EndpointStatus": re.sub(r"(?<!^)(?=[A-Z])", "_", status).upper(),
        "CreationTime": int(endpoint["CreationTime"] * 1000),
        "LastModifiedTime": int(endpoint["LastModifiedTime"] * 1000),
        "Tags": {tag["Key"]: tag["Value"] for tag in read_tags(account, endpoint["EndpointArn"])},
    }
    emit(account, "SageMaker Endpoint State Change", detail, [endpoint["EndpointArn"]])
