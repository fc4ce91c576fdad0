"""What an execution started in staging: which version, how it stands, what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.cli.gate import every_step
from pipeline.cli.waiting import verdict_text, wait_for_verdict
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.deployment import Deployment
    from pipeline.aws.models import Execution
    from pipeline.cli.options import Target

_OUTPUT = "EndpointName"


@dataclass(frozen=True)
class Request:
    """The staging deployment that a Lambda step asked for: the registered version, and when the step started."""

    package_arn: str
    started: datetime | None


def requested(execution: Execution, definition: Mapping[str, Any]) -> Request | None:
    """Return what an execution asked staging for.

    That is where it registered a version and a Lambda step that answers an EndpointName succeeded; else None.
    """
    made = next((step.made for step in execution.steps if step.made), None)
    for body in every_step(definition.get("Steps", [])):
        outputs = (output.get("OutputName") for output in body.get("OutputParameters", []))
        ran = execution.step(body["Name"]) if body["Type"] == "Lambda" and _OUTPUT in outputs else None
        if made is not None and ran is not None and ran.status == "Succeeded":
            return Request(made, ran.started)
    return None


def current(session: boto3.Session, asked: Request) -> Deployment | None:
    """Return how the deployment stands, or None where that cannot be read: it never hides how an execution ended."""
    from pipeline.aws.deployment import deployment
    from pipeline.aws.models import STAGING

    try:
        return deployment(session, asked.package_arn, STAGING)
    except UserError:
        return None


def verdict(session: boto3.Session, target: Target, execution: Execution) -> Deployment | None:
    """Wait for the verdict of what an execution asked staging for, and return it; None where it asked for nothing.

    Raises UserError: the time is up, or the service refuses.
    """
    from pipeline.aws.inspection import definition
    from pipeline.aws.models import STAGING

    asked = requested(execution, definition(session, execution.arn))
    return None if asked is None else wait_for_verdict(session, target, asked.package_arn, STAGING)


def text(asked: Request, deployed: Deployment) -> str:
    """Return the line about staging, with the time from the step's start to the verdict."""
    try:
        decided = datetime.fromisoformat(deployed.time)
        taken = (decided - asked.started).total_seconds() if asked.started else None
    except (TypeError, ValueError):  # no time, or one without a zone
        taken = None
    return verdict_text(deployed, None if taken is None else max(0.0, taken))


def advice(session: boto3.Session, asked: Request) -> str:
    """Return the command that approves the version, with the profile where several groups may have that number."""
    from pipeline.aws.inspection import groups
    from pipeline.cli.lookup import PROJECT_PREFIX, flag

    group, _, number = asked.package_arn.partition("model-package/")[2].rpartition("/")
    several = len(groups(session, PROJECT_PREFIX)) > 1
    profile = f" --profile {group.removeprefix(PROJECT_PREFIX)}" if several and group.startswith(PROJECT_PREFIX) else ""
    return f"bincount models approve {number}{profile}{flag(asked.package_arn)}"
