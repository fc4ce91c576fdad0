"""How far the deployment of a version to a stage has come, and which version production takes.

The deploy function does the work and writes its verdict into the version; here it is only read.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws.errors import aws_errors, is_missing
from pipeline.aws.models import FAILED, PASSED, PRODUCTION, STAGING, Verdict, Version
from pipeline.aws.outages import Outage
from pipeline.aws.polling import looks

if TYPE_CHECKING:
    import boto3

OVERRIDE = "StagingOverride"
"""The metadata that says who put a version into production although staging had not passed."""
PRODUCTION_MARKS = ("ProductionStatus", "ProductionReason", "ProductionTime", "ProductionConfig")
"""The metadata in which the deploy function says what became of a version in production; approving removes it."""
_SETTLED = frozenset({"", "InService", "OutOfService", "Failed"})
_SILENT = frozenset({"Creating", "Failed", "Deleting", "OutOfService"})
_GRACE = 30.0  # seconds that a failed version's predecessor has to come back before the verdict is told without it


@dataclass(frozen=True)
class Deployment:
    """A version on its way to a stage."""

    stage: str
    endpoint: str
    version: int
    status: str
    """Of the version: Requested, Deploying, Passed, Failed, RolledBack; empty before anything was asked."""
    reason: str
    time: str
    """When the status was written, ISO 8601 in UTC."""
    endpoint_status: str
    """As the service has it (Creating, InService, ...); empty where there is no endpoint."""
    serving: int | None
    """The version that the endpoint serves, the one before while it is updated; None where it serves none of ours."""
    pending: bool = False
    """Whether a deployment has no verdict yet; a version that is brought back stays Passed meanwhile."""

    @property
    def passed(self) -> bool:
        """Whether the version passed its smoke test there."""
        return self.status == PASSED and not self.pending

    @property
    def failed(self) -> bool:
        """Whether the version was taken back."""
        return self.status in FAILED

    @property
    def serves(self) -> bool:
        """Whether the endpoint serves this version and does nothing else."""
        return self.serving == self.version and self.endpoint_status == "InService"

    @property
    def settled(self) -> bool:
        """Whether there is a verdict, and after a bad one the endpoint has come to rest without this version."""
        return self.passed or (self.failed and self.serving != self.version and self.endpoint_status in _SETTLED)


def endpoint_name(group: str, stage: str) -> str:
    """Return the name of a group's endpoint."""
    return f"{group}-{stage}"


def served_version(endpoint: str, config: str) -> int | None:
    """Return the version that an endpoint config serves, which stands in its name; None where it is none of ours."""
    found = re.fullmatch(re.escape(endpoint) + r"-v([1-9]\d*)-[0-9a-f]{8}", config)
    return int(found[1]) if found else None


def eligible(version: Version) -> bool:
    """Say whether production may take a version.

    Approved, staging passed or overridden, or production had it before, and has not turned it down since. The same rule
    as the deploy function's.
    """
    in_production = version.verdict(PRODUCTION).status
    accepted = PASSED in {version.verdict(STAGING).status, in_production} or bool(version.metadata.get(OVERRIDE))
    return version.status == "Approved" and accepted and in_production not in FAILED


def production_takes(versions: Collection[Version]) -> Version | None:
    """Return the newest version that production may take, which is the one that the deploy function brings there."""
    return max(filter(eligible, versions), key=lambda version: version.number, default=None)


def after_approval(version: Version, *, override: bool) -> Version:
    """Return a version as approving makes it: what production said of it before no longer counts."""
    kept = {key: value for key, value in version.metadata.items() if key not in PRODUCTION_MARKS}
    return replace(version, status="Approved", metadata=kept | ({OVERRIDE: "now"} if override else {}))


@aws_errors()
def deployment(session: boto3.Session, package_arn: str, stage: str) -> Deployment:
    """Return how far a version's deployment has come. Raises UserError."""
    return _read(session, package_arn, stage)


@aws_errors()
def serving(session: boto3.Session, group: str, stage: str) -> int | None:
    """Return the version that a group's endpoint serves; None where there is no such endpoint. Raises UserError."""
    return _endpoint(session, endpoint_name(group, stage))[1]


def wait_for(
    session: boto3.Session,
    package_arn: str,
    stage: str,
    *,
    anew: bool = False,
    every: float = 1.0,
    timeout: float = 120.0,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
    outage: Outage | None = None,
) -> Iterator[Deployment]:
    """Yield the deployment now and after each change, until it has settled or the time is up: see the last one.

    Args:
        session: who answers.
        package_arn: the version.
        stage: staging or production.
        anew: a Passed may be of an earlier deployment: believe it only while the endpoint serves the version.
        every: seconds between looks; longer while the service throttles.
        timeout: seconds.
        sleep: how to wait.
        clock: seconds that have passed.
        outage: what it bears is waited out.

    Raises:
        UserError: the service refuses, or there is no such version.
    """
    began, decided, last = clock(), None, None
    for now in looks(lambda: _read(session, package_arn, stage), every, sleep, outage):
        if now is not None and now != last:
            last = now
            yield now
        if now is not None and now.settled and (now.serves or not anew or now.failed):
            return
        if now is not None and now.failed and decided is None:
            decided = clock()
        if clock() - began >= timeout or (decided is not None and clock() - decided >= _GRACE):
            return


def _read(session: boto3.Session, package_arn: str, stage: str) -> Deployment:
    about = session.client("sagemaker").describe_model_package(ModelPackageName=package_arn)
    name = endpoint_name(about["ModelPackageGroupName"], stage)
    metadata = about.get("CustomerMetadataProperties") or {}
    verdict = Verdict.of(metadata, stage)
    status, served = _endpoint(session, name)
    return Deployment(
        stage=stage,
        endpoint=name,
        version=about["ModelPackageVersion"],
        status=verdict.status,
        reason=verdict.reason,
        time=verdict.time,
        endpoint_status=status,
        serving=served,
        pending=f"{stage.capitalize()}Config" in metadata,
    )


def _endpoint(session: boto3.Session, name: str) -> tuple[str, int | None]:
    """Return an endpoint's status, empty where there is none, and the version that it serves."""
    client: Any = session.client("sagemaker")
    try:
        about = client.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if is_missing(error):
            return "", None
        raise
    status = about["EndpointStatus"]
    return status, None if status in _SILENT else served_version(name, about.get("EndpointConfigName", ""))
