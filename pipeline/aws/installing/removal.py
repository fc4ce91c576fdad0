"""Deleting the stack itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.aws.errors import aws_errors
from pipeline.aws.installing.changesets import UNUSABLE, protect
from pipeline.aws.installing.progress import Tell, follow, seen
from pipeline.aws.stack import STACK, describe

if TYPE_CHECKING:
    import boto3


@aws_errors()
def unusable(session: boto3.Session) -> str | None:
    """Return the status of a stack that can only be deleted, or None: it is of use, or there is none."""
    about = describe(session.client("cloudformation"))
    status = about["StackStatus"] if about else ""
    return status if status in UNUSABLE else None


@aws_errors()
def delete_stack(session: boto3.Session, tell: Tell, *, seconds: float = 3.0) -> None:
    """Delete the stack and tell what happens until it is gone; nothing happens where there is none.

    Raises:
        UserError: something of it cannot be deleted.
    """
    client = session.client("cloudformation")
    about = describe(client)
    if about is None:
        return
    if about.get("EnableTerminationProtection"):
        protect(session, on=False)
    last = seen(session, about["StackId"])
    client.delete_stack(StackName=STACK)
    follow(session, about["StackId"], last, tell, seconds=seconds)
