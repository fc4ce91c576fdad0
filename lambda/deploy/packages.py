"""Model packages: the versions of a group, as this function needs to know them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from deploy.errors import RefusedError, is_missing, message_of
from deploy.names import PRODUCTION, STAGING, own_group, package_arn

if TYPE_CHECKING:
    from deploy.environment import Environment

REQUESTED, DEPLOYING, PASSED, FAILED, ROLLED_BACK = "Requested", "Deploying", "Passed", "Failed", "RolledBack"
AGAIN = "again"
"""In place of an attempt's config: the endpoint had served this version, failed, and is to be made again."""
_TITLES = {STAGING: "Staging", PRODUCTION: "Production"}


@dataclass(frozen=True)
class Mark:
    """What a version's metadata says of one stage."""

    status: str | None = None
    """Requested, Deploying, Passed, Failed or RolledBack; None: it was never there."""
    attempt: str | None = None
    """The endpoint config of a deployment that has no verdict yet."""


@dataclass(frozen=True)
class Package:
    """A version."""

    group: str
    version: int
    arn: str
    approved: bool = False
    overridden: bool = False
    """Somebody lets it into production although staging has not passed."""
    marks: Mapping[str, Mark] = field(default_factory=dict)
    """By stage."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    container: Mapping[str, Any] = field(default_factory=dict)
    """Image and ModelDataUrl."""
    instance_types: tuple[str, ...] = ()
    """Those that the version says it can be served on."""

    def mark(self, stage: str) -> Mark:
        """Return what the metadata says of a stage."""
        return self.marks.get(stage, Mark())

    @property
    def model_version(self) -> str:
        """What its server must call itself."""
        return f"{self.group}/{self.version}"


def keys(stage: str) -> tuple[str, str, str, str]:
    """Return the metadata keys of a stage: status, reason, time, and the config of the attempt under way."""
    title = _TITLES[stage]
    return f"{title}Status", f"{title}Reason", f"{title}Time", f"{title}Config"


def parse(answer: Mapping[str, Any]) -> Package:
    """Return the version that DescribeModelPackage answered."""
    metadata = answer.get("CustomerMetadataProperties") or {}
    specification = answer.get("InferenceSpecification") or {}
    return Package(
        group=answer["ModelPackageGroupName"],
        version=answer["ModelPackageVersion"],
        arn=answer["ModelPackageArn"],
        approved=answer.get("ModelApprovalStatus") == "Approved",
        overridden=bool(metadata.get("StagingOverride")),
        marks={stage: _mark(metadata, stage) for stage in _TITLES},
        metadata=metadata,
        container=next(iter(specification.get("Containers", [])), {}),
        instance_types=tuple(specification.get("SupportedRealtimeInferenceInstanceTypes", [])),
    )


def _mark(metadata: Mapping[str, str], stage: str) -> Mark:
    status, _, _, attempt = keys(stage)
    return Mark(metadata.get(status), metadata.get(attempt))


def describe(environment: Environment, arn: str) -> Package | None:
    """Return a version of this project, None when there is no such. Raises RefusedError: of another project."""
    named = package_arn(arn)
    try:
        answer = environment.sagemaker.describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if _is_unknown(error):
            return None
        raise
    own_group(answer.get("ModelPackageGroupName"), environment.project)
    package = parse(answer)
    return package if package.version == named.version else None


class Versions:
    """A group's versions, newest first. Each is described once, when somebody gets that far."""

    def __init__(self, environment: Environment, group: str) -> None:
        self._environment = environment
        self._group = group
        self._described: dict[str, Package | None] = {}
        self._arns: list[tuple[int, str, bool]] | None = None

    def __iter__(self) -> Iterator[Package]:
        return self._iterate(approved=False)

    def approved(self) -> Iterator[Package]:
        """Yield the Approved ones alone."""
        return self._iterate(approved=True)

    def get(self, version: int) -> Package | None:
        """Return a version; None when there is none of that number."""
        return next((self._describe(arn) for number, arn, _ in self._listed() if number == version), None)

    def _iterate(self, *, approved: bool) -> Iterator[Package]:
        for _, arn, is_approved in self._listed():
            if (is_approved or not approved) and (package := self._describe(arn)) is not None:
                yield package

    def _describe(self, arn: str) -> Package | None:
        if arn not in self._described:
            self._described[arn] = describe(self._environment, arn)
        return self._described[arn]

    def _listed(self) -> list[tuple[int, str, bool]]:
        if self._arns is None:
            self._arns = sorted(self._summaries(), reverse=True)
        return self._arns

    def _summaries(self) -> Iterator[tuple[int, str, bool]]:
        client = self._environment.sagemaker
        try:
            for page in client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=self._group):
                for one in page["ModelPackageSummaryList"]:
                    approved = one.get("ModelApprovalStatus") == "Approved"
                    yield one["ModelPackageVersion"], one["ModelPackageArn"], approved
        except ClientError as error:
            if _is_unknown(error):
                raise RefusedError(f"there is no model package group {self._group}") from None
            raise


def _is_unknown(error: ClientError) -> bool:
    return is_missing(error) or "does not exist" in message_of(error) or "not found" in message_of(error)
