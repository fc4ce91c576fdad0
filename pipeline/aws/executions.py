"""Pipelines and their executions: made, started, stopped, taken up again, listed."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws.errors import aws_errors, message_of
from pipeline.aws.models import Execution
from pipeline.aws.watching import Reader, watch
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

__all__ = ["describe", "executions", "resolve", "retry", "start", "stop", "upsert", "watch"]

_ID = re.compile(r"[a-z0-9]{12}")
_TAKEN = "Pipeline names must be unique"


@aws_errors()
def upsert(session: boto3.Session, name: str, definition: str, role: str, tags: Mapping[str, str]) -> str:
    """Create the pipeline, or update the one of this name, and return its ARN.

    Raises UserError, as all functions here do, with one line that says what to do.
    """
    client = session.client("sagemaker")
    listed: Any = [{"Key": key, "Value": value} for key, value in tags.items()]
    try:
        made = client.create_pipeline(
            PipelineName=name, PipelineDefinition=definition, RoleArn=role, Tags=listed, ClientRequestToken=_token()
        )
    except ClientError as error:
        if _TAKEN not in message_of(error):
            raise
        updated = client.update_pipeline(PipelineName=name, PipelineDefinition=definition, RoleArn=role)
        if listed:
            client.add_tags(ResourceArn=updated["PipelineArn"], Tags=listed)
        return updated["PipelineArn"]
    return made["PipelineArn"]


@aws_errors()
def start(
    session: boto3.Session,
    name: str,
    parameters: Mapping[str, str],
    display_name: str | None = None,
    token: str | None = None,
) -> str:
    """Start an execution and return its ARN; the same `token` (32-128 characters) starts one only once."""
    request: dict[str, Any] = {
        "PipelineName": name,
        "PipelineParameters": [{"Name": key, "Value": value} for key, value in parameters.items()],
        "ClientRequestToken": token or _token(),
    }
    if display_name is not None:
        request["PipelineExecutionDisplayName"] = display_name
    return session.client("sagemaker").start_pipeline_execution(**request)["PipelineExecutionArn"]


@aws_errors()
def stop(session: boto3.Session, arn: str) -> None:
    """Ask an execution to stop: its jobs get SIGTERM."""
    session.client("sagemaker").stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=_token())


@aws_errors()
def retry(session: boto3.Session, arn: str) -> None:
    """Take up a failed or stopped execution where it ended."""
    session.client("sagemaker").retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=_token())


@aws_errors()
def describe(session: boto3.Session, arn: str) -> Execution:
    """Return the execution with its steps, their trials and the last value of every metric."""
    return Reader(session, arn).read()


@aws_errors()
def executions(session: boto3.Session, name: str, limit: int = 20) -> list[Execution]:
    """Return a pipeline's latest executions, the newest first, without their steps."""
    pages = session.client("sagemaker").get_paginator("list_pipeline_executions")
    listed = pages.paginate(
        PipelineName=name,
        SortBy="CreationTime",
        SortOrder="Descending",
        PaginationConfig={"MaxItems": limit, "PageSize": min(limit, 100)},
    )
    return [
        Execution(
            arn=one["PipelineExecutionArn"],
            name=one.get("PipelineExecutionDisplayName", ""),
            status=one["PipelineExecutionStatus"],
            started=one["StartTime"],
            changed=one["StartTime"],
            reason=one.get("PipelineExecutionFailureReason"),
        )
        for page in listed
        for one in page["PipelineExecutionSummaries"]
    ]


@aws_errors()
def resolve(session: boto3.Session, name: str, wanted: str | None = None) -> str:
    """Return the ARN of the execution that `wanted` means: an ARN, an id, a display name; the latest when None."""
    if wanted is not None and wanted.startswith("arn:"):
        return wanted
    if wanted is not None and _ID.fullmatch(wanted):
        pipeline = session.client("sagemaker").describe_pipeline(PipelineName=name)["PipelineArn"]
        return f"{pipeline}/execution/{wanted}"
    for one in executions(session, name, limit=1 if wanted is None else 1000):
        if wanted in {None, one.name}:
            return one.arn
    missing = "no execution yet: `bincount run` starts one" if wanted is None else f"no execution {wanted}"
    raise UserError(f"pipeline {name} has {missing}")


def _token() -> str:
    return str(uuid.uuid4())
