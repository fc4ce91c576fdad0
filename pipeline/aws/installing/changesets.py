"""Change sets: what CloudFormation would do to the stack, to be looked at before it is done."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws.errors import aws_errors, code_of
from pipeline.aws.stack import STACK, describe
from pipeline.errors import UserError, did_you_mean
from pipeline.settings import PROJECT

if TYPE_CHECKING:
    import boto3

UNUSABLE = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED"}
"""States of a stack that was not made or not deleted: nothing can be done with it but to delete it."""
_EMPTY = "REVIEW_IN_PROGRESS"  # only change sets were made of it
_NOTHING = ("didn't contain changes", "no updates are to be performed")
_POLL_SECONDS = 2.0

Sleep = Callable[[float], None]


@dataclass(frozen=True)
class Change:
    """One thing that would be done: Add, Modify, Remove, ... of a resource, by the template's name of it."""

    action: str
    name: str
    kind: str
    replacement: str
    """Whether a Modify makes it anew: True, False or Conditional; empty for others."""


@dataclass(frozen=True)
class ChangeSet:
    """What CloudFormation proposes, and the stack (its ARN) that it would do it to."""

    arn: str
    stack: str
    changes: tuple[Change, ...]


def busy(status: str) -> bool:
    """Say whether CloudFormation works on a stack of this status."""
    return status.endswith("_IN_PROGRESS") and status != _EMPTY


def refuse_busy(client: Any) -> Mapping[str, Any] | None:  # noqa: ANN401
    """Return what there is of the stack. Raises UserError where somebody changes it at this moment."""
    about = describe(client)
    if about is not None and busy(about["StackStatus"]):
        raise UserError(
            f"somebody else is changing the stack {STACK} ({about['StackStatus']}): try again when that has ended"
        )
    return about


@aws_errors()
def propose(
    session: boto3.Session, template: str, given: Mapping[str, str], *, sleep: Sleep = time.sleep
) -> ChangeSet | None:
    """Let CloudFormation say what it would do to make the stack what the template says.

    Args:
        session: who answers.
        template: its text, as CloudFormation takes it.
        given: values of its parameters; others keep the value that they have.
        sleep: waits, seconds.

    Returns:
        The change set, which goes on existing, or None where there is nothing to do.

    Raises:
        UserError: the template has no such parameter, the stack is busy or unusable, or CloudFormation refuses.
    """
    client: Any = session.client("cloudformation")
    about = refuse_busy(client)
    if about is not None and about["StackStatus"] in UNUSABLE:
        raise UserError(f"the stack {STACK} is {about['StackStatus']} and must be deleted first")
    new = about is None or about["StackStatus"] == _EMPTY
    made = client.create_change_set(
        StackName=STACK,
        ChangeSetName=f"bootstrap-{uuid.uuid4().hex[:12]}",
        ChangeSetType="CREATE" if new else "UPDATE",
        TemplateBody=template,
        Parameters=list(_values(client, template, given, {} if new else about or {})),
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Tags=[{"Key": "project", "Value": PROJECT}],
    )
    reason = _outcome(client, made["Id"], sleep)
    if reason is None:
        return ChangeSet(made["Id"], made["StackId"], tuple(_changes(client, made["Id"])))
    discard(session, made["Id"])
    if any(text in reason.lower() for text in _NOTHING):
        return None
    raise UserError(f"CloudFormation refuses the template: {reason}")


def _values(
    client: Any,  # noqa: ANN401
    template: str,
    given: Mapping[str, str],
    about: Mapping[str, Any],
) -> Iterator[dict[str, Any]]:
    declared = [one["ParameterKey"] for one in client.get_template_summary(TemplateBody=template)["Parameters"]]
    for name in given:
        if name not in declared:
            there = f"there are {', '.join(declared)}" if declared else "there is none"
            raise UserError(f"the stack has no parameter {name}{did_you_mean(name, declared)}: {there}")
    kept = {one["ParameterKey"] for one in about.get("Parameters", ())}
    for name in declared:
        if name in given:
            yield {"ParameterKey": name, "ParameterValue": given[name]}
        elif name in kept:
            yield {"ParameterKey": name, "UsePreviousValue": True}


def _outcome(client: Any, arn: str, sleep: Sleep) -> str | None:  # noqa: ANN401
    """Wait for the change set; return why there is none, or None."""
    while True:
        about = client.describe_change_set(ChangeSetName=arn)
        if about["Status"] == "FAILED":
            return str(about.get("StatusReason") or "it does not say why")
        if about["Status"] == "CREATE_COMPLETE":
            return None
        sleep(_POLL_SECONDS)


def _changes(client: Any, arn: str) -> Iterator[Change]:  # noqa: ANN401
    for page in client.get_paginator("describe_change_set").paginate(ChangeSetName=arn):
        for one in page["Changes"]:
            about = one["ResourceChange"]
            replacement = about.get("Replacement", "")
            yield Change(about["Action"], about["LogicalResourceId"], about["ResourceType"], replacement)


@aws_errors()
def execute(session: boto3.Session, proposed: ChangeSet) -> None:
    """Begin to do what was proposed.

    Raises:
        UserError: the stack was changed since.
    """
    client = session.client("cloudformation")
    try:
        client.execute_change_set(ChangeSetName=proposed.arn)
    except ClientError as error:
        if code_of(error) not in {"InvalidChangeSetStatus", "InvalidChangeSetStatusException", "ChangeSetNotFound"}:
            raise
        raise UserError(
            f"somebody else has changed the stack {STACK} since this was proposed: `bincount bootstrap` again "
            "shows what there is left to do"
        ) from error


@aws_errors()
def discard(session: boto3.Session, arn: str) -> None:
    """Delete a change set, and a stack of which there was never more than change sets. Raises UserError."""
    client = session.client("cloudformation")
    client.delete_change_set(ChangeSetName=arn)
    about = describe(client)
    if about is None or about["StackStatus"] != _EMPTY:
        return
    # One of somebody else who is being asked at this moment would go with the stack.
    others = client.list_change_sets(StackName=STACK)["Summaries"]
    if not [one for one in others if one["ChangeSetId"] != arn]:
        with suppress(ClientError):
            client.delete_stack(StackName=about["StackId"])


@aws_errors()
def provider(session: boto3.Session) -> str:
    """Return the ARN of the account's identity provider for GitHub, or nothing: none, or one that the stack made.

    An account has one at most, so the stack must not make another. Raises UserError.
    """
    listed = session.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
    arns = [one["Arn"] for one in listed if one["Arn"].endswith("oidc-provider/token.actions.githubusercontent.com")]
    return arns[0] if arns and arns[0] not in _physical(session.client("cloudformation")) else ""


def _physical(client: Any) -> set[str]:  # noqa: ANN401
    if describe(client) is None:
        return set()
    pages = client.get_paginator("list_stack_resources").paginate(StackName=STACK)
    return {one.get("PhysicalResourceId", "") for page in pages for one in page["StackResourceSummaries"]}


@aws_errors()
def protect(session: boto3.Session, *, on: bool) -> None:
    """Switch the stack's termination protection. Raises UserError."""
    session.client("cloudformation").update_termination_protection(StackName=STACK, EnableTerminationProtection=on)
