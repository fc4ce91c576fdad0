"""EventBridge's default bus: events of local services and of PutEvents, to the functions that rules name."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.local.aws.account import ACCOUNT, REGION, Account
from pipeline.local.aws.rules import matching_targets
from pipeline.local.deliveries import deliver
from pipeline.local.functions import find_function

_LOG = logging.getLogger(__name__)


def emit(account: Account, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str] = ()) -> None:
    """Send an event of SageMaker to the bus; the rules' targets are called asynchronously, by detached processes.

    Args:
        account: the local account.
        detail_type: as "SageMaker Endpoint State Change".
        detail: what happened; times as seconds since 1970 or aware datetimes.
        resources: the ARNs of what it happened to.

    Never raises for a target that cannot be called: as on AWS, whoever caused an event does not hear of its delivery.
    """
    try:
        send(account, envelope("aws.sagemaker", detail_type, detail, resources, account.now()))
    except Exception:
        _LOG.exception("event %s could not be delivered", detail_type)


def envelope(
    source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str], time: float
) -> dict[str, Any]:
    """Return the whole event around a detail, of plain JSON types."""
    moment = datetime.fromtimestamp(time, UTC)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": list(resources),
        "detail": json.loads(json.dumps(detail, default=_plain)),
    }


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def send(account: Account, event: Mapping[str, Any]) -> None:
    """Give an event to the targets of every enabled rule whose pattern it fits."""
    for target in matching_targets(account, event):
        function = find_function(target["Arn"])
        if function is not None:
            deliver(account.home, account.store, function, json.dumps(event).encode())
