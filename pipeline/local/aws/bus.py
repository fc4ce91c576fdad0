"""EventBridge's default bus: events of local services and of PutEvents, to the functions and pipelines of rules."""

from __future__ import annotations

import json
import logging
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.local.aws.account import ACCOUNT, REGION, Account
from pipeline.local.aws.answers import Answer, Request, invalid, operation, refuse
from pipeline.local.aws.rules import default_bus, matching_targets
from pipeline.local.aws.targets import input_of, is_pipeline, start_pipeline
from pipeline.local.deliveries import deliver

_LOG = logging.getLogger(__name__)
_MOST_BYTES = 1 << 20  # of the events of one request


def emit(
    account: Account,
    detail_type: str,
    detail: Mapping[str, Any],
    resources: Sequence[str] = (),
    source: str = "aws.sagemaker",
) -> None:
    """Send an event of a service to the bus; the rules' targets are called asynchronously, by detached processes.

    Args:
        account: the local account.
        detail_type: as "SageMaker Endpoint State Change".
        detail: what happened, as the service words it; what JSON has not (a datetime, a path) becomes text.
        resources: the ARNs of what it happened to.
        source: the service.

    Never raises: as on AWS, whoever caused an event does not hear of its delivery.
    """
    try:
        _send(account, _envelope(source, detail_type, detail, resources, account.now()))
    except Exception as error:
        _LOG.warning("the event %s did not reach its targets: %s", detail_type, error)


def _envelope(
    source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str], time: float
) -> dict[str, Any]:
    """Return the whole event around a detail, of plain JSON types."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": list(resources),
        "detail": json.loads(json.dumps(detail, default=_plain)),
    }


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _send(account: Account, event: Mapping[str, Any]) -> None:
    for target in matching_targets(account, event):
        if is_pipeline(target):
            start_pipeline(account, target, event)
        else:
            deliver(account.home, account.store, target["Arn"], input_of(target, event))


@operation("events", "PutEvents")
def put_events(account: Account, request: Request) -> Answer:
    """Take events of one's own; each that is wrong is answered with its error, the others are delivered."""
    refuse(request, "EndpointId")
    size = sum(len(str(entry.get(name, "")).encode()) for entry in request["Entries"] for name in ("Detail", "Source"))
    if size > _MOST_BYTES:
        raise invalid("Total size of the entries in the request is over the limit.")
    entries = [_put(account, entry) for entry in request["Entries"]]
    return {"FailedEntryCount": sum("ErrorCode" in entry for entry in entries), "Entries": entries}


def _put(account: Account, entry: Mapping[str, Any]) -> Answer:
    default_bus(entry)
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            message = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": message}
    if entry["Source"].startswith("aws."):
        return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source."}
    try:
        detail = json.loads(entry["Detail"])
    except (ValueError, RecursionError):
        detail = None
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    time = entry.get("Time", account.now())
    event = _envelope(entry["Source"], entry["DetailType"], detail, entry.get("Resources", []), time)
    _send(account, event)
    return {"EventId": event["id"]}
