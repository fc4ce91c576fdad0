"""What CloudFormation does to the stack, event by event, until it has ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws.errors import aws_errors, code_of
from pipeline.aws.installing.changesets import busy
from pipeline.aws.outages import Outage
from pipeline.aws.polling import looks
from pipeline.aws.stack import describe
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

_DONE = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "DELETE_COMPLETE"}
# Said of what was not done because something else had failed.
_CONSEQUENCES = ("resource creation cancelled", "resource update cancelled", "resource deletion cancelled")

Event = Mapping[str, Any]
Tell = Callable[[str], None]


@aws_errors()
def seen(session: boto3.Session, stack: str) -> str:
    """Return the id of the stack's latest event, before something is begun. Raises UserError."""
    events = session.client("cloudformation").describe_stack_events(StackName=stack)["StackEvents"]
    return str(events[0]["EventId"]) if events else ""


def follow(
    session: boto3.Session,
    stack: str,
    last: str,
    tell: Tell,
    *,
    seconds: float = 3.0,
    sleep: Callable[[float], None] = time.sleep,
    outage: Outage | None = None,
) -> str:
    """Tell what happens to a stack until CloudFormation is done with it.

    Args:
        session: who answers.
        stack: its ARN: a stack that is gone is not found by its name.
        last: the id of the latest event from before.
        tell: gets a line for each event.
        seconds: between two looks.
        sleep: waits, seconds.
        outage: what of no answers is borne.

    Returns:
        The status that it ended with: CREATE_COMPLETE, UPDATE_COMPLETE or DELETE_COMPLETE.

    Raises:
        UserError: it ended with another, and why.
    """
    client = session.client("cloudformation")
    cause = ""

    def look() -> tuple[str, list[Event]]:
        # The state first: what happened before it is in the events then.
        about = describe(client, stack)
        return about["StackStatus"] if about else "DELETE_COMPLETE", list(_since(client, stack, last))[::-1]

    for found in looks(look, seconds, sleep, outage):
        if found is None:
            continue
        status, events = found
        for event in events:
            last = event["EventId"]
            tell(_line(event))
            cause = cause or root_cause(event)
        if not busy(status):
            break
    if status in _DONE:
        return status
    raise UserError(f"the stack is {status}{f': {cause}' if cause else ', and no event says why'}")


def _since(client: Any, stack: str, last: str) -> Iterator[Event]:  # noqa: ANN401
    """Yield the events after the one with the id `last`, the newest first."""
    try:
        for page in client.get_paginator("describe_stack_events").paginate(StackName=stack):
            for event in page["StackEvents"]:
                if event["EventId"] == last:
                    return
                yield event
    except ClientError as error:
        if code_of(error) != "ValidationError":  # a stack that is gone
            raise


def root_cause(event: Event) -> str:
    """Return what failed and why, or nothing: it did not fail, or only since something else did."""
    reason = " ".join(str(event.get("ResourceStatusReason", "")).split())
    if not event["ResourceStatus"].endswith("_FAILED") or reason.lower().startswith(_CONSEQUENCES):
        return ""
    if event.get("PhysicalResourceId") == event.get("StackId"):
        return ""  # the stack itself: it sums up
    return f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason or 'it does not say why'}"


def _line(event: Event) -> str:
    words = event["ResourceStatus"], event["ResourceType"], event["LogicalResourceId"]
    reason = " ".join(str(event.get("ResourceStatusReason", "")).split())
    failed = f": {reason}" if event["ResourceStatus"].endswith("_FAILED") and reason else ""
    return f"{words[0].lower().replace('_', ' '):<20} {words[1]}  {words[2]}{failed}"
