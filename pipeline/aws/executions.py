"""Executions of a pipeline: started, stopped, taken up again, listed."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ConnectionError, HTTPClientError

from pipeline.aws.errors import aws_errors
from pipeline.aws.models import Execution
from pipeline.aws.watching import Reader, watch
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

__all__ = ["describe", "executions", "new_token", "resolve", "retry", "start", "stop", "watch"]

_ID = re.compile(r"[a-z0-9]{12}")
_PAUSES = (1.0, 4.0, 15.0)  # seconds; botocore has tried a few times itself before each


@aws_errors()
def start(
    session: boto3.Session,
    name: str,
    parameters: Mapping[str, str],
    display_name: str | None = None,
    token: str | None = None,
    version: int | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Start an execution and return its ARN.

    A request whose answer was lost in the network is sent again: with the same token it starts nothing twice.

    Args:
        session: who answers.
        name: the pipeline.
        parameters: those that differ from their defaults.
        display_name: what people call the execution.
        token: 32 to 128 characters; the same one starts one execution, however often. None: a new one.
        version: of the pipeline, as `upsert` gave it; None: the latest.
        sleep: waits between attempts.

    Raises:
        UserError: the service refuses, or cannot be reached.
    """
    request: dict[str, Any] = {
        "PipelineName": name,
        "PipelineParameters": [{"Name": key, "Value": value} for key, value in parameters.items()],
        "ClientRequestToken": token or new_token(),
    }
    if display_name is not None:
        request["PipelineExecutionDisplayName"] = display_name
    if version is not None:
        request["PipelineVersionId"] = version
    client: Any = session.client("sagemaker")
    for pause in _PAUSES:
        try:
            return str(client.start_pipeline_execution(**request)["PipelineExecutionArn"])
        except (HTTPClientError, ConnectionError):
            sleep(pause)
    return str(client.start_pipeline_execution(**request)["PipelineExecutionArn"])


@aws_errors()
def stop(session: boto3.Session, arn: str) -> None:
    """Ask an execution to stop: its jobs get SIGTERM."""
    session.client("sagemaker").stop_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=new_token())


@aws_errors()
def retry(session: boto3.Session, arn: str) -> None:
    """Take up a failed or stopped execution where it ended."""
    session.client("sagemaker").retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken=new_token())


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


def new_token() -> str:
    """Return a ClientRequestToken that nobody else has."""
    return str(uuid.uuid4())
