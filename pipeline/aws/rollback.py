"""Taking an endpoint back to an earlier version: here it is asked for, the deploy function does it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.aws import approval, registry
from pipeline.aws.deployment import production_takes
from pipeline.aws.endpoints import Endpoint
from pipeline.aws.errors import aws_errors
from pipeline.aws.functions import reconcile
from pipeline.aws.models import OPEN, PASSED, PRODUCTION, STAGING, Version
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3


@dataclass(frozen=True)
class RollBack:
    """A roll-back that can be made."""

    endpoint: str
    stage: str
    live: Version
    """The version that is taken away."""
    earlier: Version
    """The newest other one that may serve, which follows it."""


@aws_errors()
def prepare(session: boto3.Session, endpoint: Endpoint) -> RollBack:
    """Find which version would follow the live one.

    Raises:
        UserError: the endpoint is at work, serves none of our versions, or there is no other that may serve.
    """
    name, group = endpoint.name, endpoint.group
    if endpoint.busy:
        raise UserError(f"{name} is {endpoint.status}: wait until it is InService (`bincount endpoints`)")
    if endpoint.version is None:
        raise UserError(f"{name} serves no version of {group}: its config was not made by the deploy function")
    live = registry.version(session, group, endpoint.version)
    if endpoint.stage == PRODUCTION:
        others = [one for one in registry.approved(session, group) if one.number != live.number]
        earlier, wanted = production_takes(others), "approved version that passed staging"
    else:
        staged = [one for one in registry.versions(session, group) if one.number != live.number]
        serving = [one for one in staged if one.verdict(STAGING).status in OPEN | {PASSED}]
        earlier, wanted = max(serving, key=lambda one: one.number, default=None), "version that passed staging"
    if earlier is None:
        raise UserError(
            f"{name} serves version {live.number}, and there is no other {wanted}: `bincount cleanup` removes endpoints"
        )
    return RollBack(name, endpoint.stage, live, earlier)


@aws_errors()
def begin(session: boto3.Session, chosen: RollBack, note: str | None) -> None:
    """Say of the live version that it shall not serve, upon which the deploy function deploys the other.

    In production it is rejected in the registry; in staging its StagingStatus becomes RolledBack. Raises UserError.
    """
    if chosen.stage == PRODUCTION:
        approval.reject(session, chosen.live, note)
        return
    reason = f"{note or 'rolled back'} ({approval.caller(session)})"
    metadata = {
        "StagingStatus": "RolledBack",
        "StagingReason": approval.metadata_text(" ".join(reason.split())),
        "StagingTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    session.client("sagemaker").update_model_package(
        ModelPackageArn=chosen.live.arn, CustomerMetadataProperties=metadata
    )
    reconcile(session, chosen.live.group)
