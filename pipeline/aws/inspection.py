"""What the service knows besides: pipelines and model groups there are, an execution's definition, inputs, outputs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.exceptions import NoRegionError

from pipeline.aws.errors import aws_errors
from pipeline.aws.models import Job

if TYPE_CHECKING:
    import boto3


@aws_errors()
def connect() -> boto3.Session:
    """Return a session of the user's own account, by the keys and the region that their environment names.

    Its keys can be renewed. Raises UserError.
    """
    import boto3

    from pipeline.aws.credentials import make_renewable

    session = boto3.Session()
    make_renewable(session)
    return session


@aws_errors()
def caller(session: boto3.Session) -> tuple[str, str, str]:
    """Return the id of the session's account, the caller's ARN and the region. Raises UserError."""
    if session.region_name is None:
        raise NoRegionError  # STS answers without one
    about = session.client("sts").get_caller_identity()
    return about["Account"], about["Arn"], session.region_name


@aws_errors()
def pipelines(session: boto3.Session, prefix: str = "") -> list[str]:
    """Return the names of the pipelines that start with `prefix`, the newest first. Raises UserError."""
    pages = session.client("sagemaker").get_paginator("list_pipelines")
    listed = pages.paginate(SortBy="CreationTime", SortOrder="Descending")
    names = [one["PipelineName"] for page in listed for one in page["PipelineSummaries"]]
    return [name for name in names if name.startswith(prefix)]


@aws_errors()
def groups(session: boto3.Session, prefix: str = "") -> list[str]:
    """Return the names of the model package groups that start with `prefix`. Raises UserError."""
    pages = session.client("sagemaker").get_paginator("list_model_package_groups")
    listed = pages.paginate(SortBy="Name", SortOrder="Ascending")
    names = [one["ModelPackageGroupName"] for page in listed for one in page["ModelPackageGroupSummaryList"]]
    return [name for name in names if name.startswith(prefix)]


@aws_errors()
def definition(session: boto3.Session, arn: str) -> dict[str, Any]:
    """Return the definition that an execution started with. Raises UserError."""
    about = session.client("sagemaker").describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    whole: dict[str, Any] = json.loads(about["PipelineDefinition"])
    return whole


@aws_errors()
def parameters(session: boto3.Session, arn: str) -> dict[str, str]:
    """Return the value of each of an execution's parameters, defaults included. Raises UserError."""
    pages = session.client("sagemaker").get_paginator("list_pipeline_parameters_for_execution")
    listed = pages.paginate(PipelineExecutionArn=arn)
    return {one["Name"]: one["Value"] for page in listed for one in page["PipelineParameters"]}


@aws_errors()
def outputs(session: boto3.Session, job: Job) -> dict[str, str]:
    """Return the `s3://` URI of each output of a processing job, by its name. Raises UserError."""
    about = session.client("sagemaker").describe_processing_job(ProcessingJobName=job.name)
    listed = about.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return {one["OutputName"]: one["S3Output"]["S3Uri"] for one in listed}
