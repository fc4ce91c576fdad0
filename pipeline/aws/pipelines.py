"""Pipelines: what the service has, and putting a definition there.

Two people or two CI jobs may do this at once, and UpdatePipeline takes neither a token nor a condition: the later one
wins. But each update makes a version that stays, and an execution can be started from a version: who starts the one
that `upsert` returns runs the definition that was sent, whatever anybody else sends in between.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from pipeline.aws.diagnosis import advice, refused_step
from pipeline.aws.errors import aws_errors, code_of, is_missing, message_of
from pipeline.aws.executions import new_token
from pipeline.aws.objects import put_text
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

INLINE_BYTES = 100_000
"""Definitions above this go through S3."""
_TAKEN = "Pipeline names must be unique"
_LOOKED_AT = 20  # of the newest versions, for ours: as many updates at once are not to be expected
_PAUSES = (0.5, 1.0, 2.0, 4.0)

Change = Literal["new", "changed", "same"]


@dataclass(frozen=True)
class Current:
    """A pipeline as it is: its latest version's definition and role; `version` is None where the service tells none."""

    arn: str
    definition: str
    role: str
    version: int | None


@dataclass(frozen=True)
class Upserted:
    """What came of an upsert: the version that holds the definition that was sent, and what had to be done for it."""

    arn: str
    version: int | None
    change: Change
    overtaken_by: int | None = None
    """The latest version, where somebody else sent another definition in the meantime."""


@aws_errors()
def current(session: boto3.Session, name: str) -> Current | None:
    """Return the pipeline as it is now, or None where there is none. Raises UserError, as all functions here do."""
    client: Any = session.client("sagemaker")
    try:
        versions = _versions(client, name, 1)
        pinned = {"PipelineVersionId": versions[0]} if versions else {}
        about = client.describe_pipeline(PipelineName=name, **pinned)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    version = versions[0] if versions else None
    return Current(about["PipelineArn"], about["PipelineDefinition"], about["RoleArn"], version)


def change_to(now: Current | None, definition: str, role: str) -> Change:
    """Say what an upsert would do to a pipeline: spaces and the order of keys make no difference."""
    if now is None:
        return "new"
    return "same" if now.role == role and _same(now.definition, definition) else "changed"


@aws_errors()
def upsert(
    session: boto3.Session,
    name: str,
    definition: str,
    role: str,
    tags: Mapping[str, str],
    bucket: str,
    sleep: Callable[[float], None] = time.sleep,
) -> Upserted:
    """Create the pipeline or update the one of this name, unless it is so already; then read back what is there.

    Args:
        session: who answers.
        name: the pipeline.
        definition: its text; above INLINE_BYTES it goes through S3, under a key that its content gives.
        role: ARN of the pipeline's role.
        tags: put on the pipeline; others stay.
        bucket: for large definitions.
        sleep: waits before trying again what another update was in the way of.
    """
    now = current(session, name)
    change = change_to(now, definition, role)
    if now is not None and change == "same":
        return Upserted(now.arn, now.version, change)
    client: Any = session.client("sagemaker")
    request = {**_body(session, definition, bucket), "RoleArn": role}
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    try:
        arn, version = _write(client, name, request, listed, sleep, create=now is None)
    except ClientError as error:
        if code_of(error) != "ValidationException" or is_missing(error) or advice(message_of(error)):
            raise
        step = refused_step(message_of(error), definition)
        what = f"step {step} in the definition" if step else "the definition"
        raise UserError(f"SageMaker refuses {what} of {name}: {message_of(error)}") from error
    version, latest = _read_back(client, name, definition, version)
    return Upserted(arn, version, change, latest if latest != version else None)


def _write(
    client: Any,  # noqa: ANN401
    name: str,
    request: Mapping[str, Any],
    tags: list[dict[str, str]],
    sleep: Callable[[float], None],
    *,
    create: bool,
) -> tuple[str, int | None]:
    """Return the ARN, and the version where the service says it."""
    if create:
        try:
            made = client.create_pipeline(PipelineName=name, **request, Tags=tags, ClientRequestToken=new_token())
            return str(made["PipelineArn"]), None
        except ClientError as error:
            if _TAKEN not in message_of(error) and code_of(error) != "ConflictException":
                raise  # else somebody was faster: then it is an update
    for pause in (*_PAUSES, None):
        try:
            updated = client.update_pipeline(PipelineName=name, **request)
            break
        except ClientError as error:
            if code_of(error) != "ConflictException" or pause is None:
                raise
            sleep(pause)
    client.add_tags(ResourceArn=updated["PipelineArn"], Tags=tags)
    return str(updated["PipelineArn"]), updated.get("PipelineVersionId")


def _read_back(client: Any, name: str, definition: str, version: int | None) -> tuple[int | None, int | None]:  # noqa: ANN401
    """Return the version that holds the definition, and the latest one; None for both where there are no versions.

    Raises:
        UserError: what is there is not what was sent.
    """
    versions = _versions(client, name, _LOOKED_AT)
    if not versions:
        return None, None
    for number in versions if version is None else [version]:
        about = client.describe_pipeline(PipelineName=name, PipelineVersionId=number)
        if _same(about["PipelineDefinition"], definition):
            return number, versions[0]
    raise UserError(f"pipeline {name} holds another definition than was sent: somebody else updates it; try again")


def _versions(client: Any, name: str, limit: int) -> list[int]:  # noqa: ANN401
    """Return the numbers of the newest versions, the newest first."""
    listed = client.list_pipeline_versions(PipelineName=name, SortOrder="Descending", MaxResults=limit)
    return [one["PipelineVersionId"] for one in listed["PipelineVersionSummaries"]]


def _body(session: boto3.Session, definition: str, bucket: str) -> dict[str, Any]:
    content = definition.encode()
    if len(content) <= INLINE_BYTES:
        return {"PipelineDefinition": definition}
    key = f"definitions/{hashlib.sha256(content).hexdigest()}.json"
    put_text(session, f"s3://{bucket}/{key}", definition)
    return {"PipelineDefinitionS3Location": {"Bucket": bucket, "ObjectKey": key}}


def _same(left: str, right: str) -> bool:
    if left == right:
        return True
    try:
        return bool(json.loads(left) == json.loads(right))
    except ValueError:
        return False
