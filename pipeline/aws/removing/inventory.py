"""What an installation holds that CloudFormation would not delete, or could not while something is in it.

Buckets, repositories and groups are those that the stack lists as its own; none is known by a guess at its name.
Pipelines are in no stack: ours begin with `bincount-` and have the project's tag.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws.errors import aws_errors, is_missing
from pipeline.aws.executions import executions
from pipeline.aws.inspection import pipelines
from pipeline.aws.stack import STACK, describe
from pipeline.settings import PROJECT

if TYPE_CHECKING:
    import boto3

PREFIX = f"{PROJECT}-"
ENDPOINT_LOGS = f"/aws/sagemaker/Endpoints/{PREFIX}"
_KINDS = {
    "AWS::S3::Bucket": "buckets",
    "AWS::ECR::Repository": "repositories",
    "AWS::SageMaker::ModelPackageGroup": "groups",
}
_GONE = "DELETE_COMPLETE"
_LATEST = 50  # executions of a pipeline: the service runs no more at once


@dataclass(frozen=True)
class Attachment:
    """One of the stack's policies on somebody that the stack did not make: IAM deletes no policy that is attached."""

    policy: str
    """ARN."""
    kind: str
    """user, group or role."""
    name: str


@dataclass(frozen=True)
class Contents:
    """What there is to remove. Names, but for `running` (ARNs of executions)."""

    stack: str | None = None
    """The stack's status, or None: there is none."""
    resources: int = 0
    """Of the stack."""
    buckets: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    pipelines: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    logs: tuple[str, ...] = ()
    """Log groups of our endpoints."""
    attached: tuple[Attachment, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether there is nothing to remove."""
        return self == Contents()


@aws_errors()
def read(session: boto3.Session) -> Contents:
    """Return what there is. Raises UserError."""
    about = describe(session.client("cloudformation"))
    listed = list(_resources(session)) if about else []
    of_kind: dict[str, tuple[str, ...]] = {
        member: tuple(sorted(_last(one["PhysicalResourceId"]) for one in listed if one["ResourceType"] == kind))
        for kind, member in _KINDS.items()
    }
    ours = tuple(name for name in pipelines(session, PREFIX) if _is_tagged(session, name))
    return Contents(
        stack=str(about["StackStatus"]) if about else None,
        resources=len(listed),
        pipelines=ours,
        running=tuple(one.arn for name in ours for one in executions(session, name, _LATEST) if not one.done),
        logs=tuple(_log_groups(session)),
        attached=tuple(_attachments(session, listed)),
        **of_kind,
    )


def _resources(session: boto3.Session) -> Iterator[Mapping[str, Any]]:
    """Yield what the stack made and has not deleted yet."""
    pages = session.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK)
    for page in pages:
        for one in page["StackResourceSummaries"]:
            if one.get("PhysicalResourceId") and one["ResourceStatus"] != _GONE:
                yield one


def _attachments(session: boto3.Session, listed: list[Mapping[str, Any]]) -> Iterator[Attachment]:
    own = {one["PhysicalResourceId"] for one in listed if one["ResourceType"] == "AWS::IAM::Role"}
    pages = session.client("iam").get_paginator("list_entities_for_policy")
    for one in listed:
        if one["ResourceType"] != "AWS::IAM::ManagedPolicy":
            continue
        policy = one["PhysicalResourceId"]
        for page in pages.paginate(PolicyArn=policy):
            yield from (Attachment(policy, "user", who["UserName"]) for who in page["PolicyUsers"])
            yield from (Attachment(policy, "group", who["GroupName"]) for who in page["PolicyGroups"])
            roles = (who["RoleName"] for who in page["PolicyRoles"])
            yield from (Attachment(policy, "role", name) for name in roles if name not in own)


def _last(physical: str) -> str:
    """Return a resource's name: the physical id of some kinds is their ARN."""
    return physical.rpartition("/")[2]


def _is_tagged(session: boto3.Session, pipeline: str) -> bool:
    client = session.client("sagemaker")
    try:
        arn = client.describe_pipeline(PipelineName=pipeline)["PipelineArn"]
        pages = client.get_paginator("list_tags").paginate(ResourceArn=arn)
        return any(tag == {"Key": "project", "Value": PROJECT} for page in pages for tag in page["Tags"])
    except ClientError as error:
        if is_missing(error):
            return False
        raise


def _log_groups(session: boto3.Session) -> Iterator[str]:
    pages = session.client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=ENDPOINT_LOGS)
    for page in pages:
        yield from (one["logGroupName"] for one in page["logGroups"])
