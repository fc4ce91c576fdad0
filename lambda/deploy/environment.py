"""The function's environment: what the template sets, and the clients of the account that it runs in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from deploy.errors import RefusedError

if TYPE_CHECKING:
    from mypy_boto3_application_autoscaling import ApplicationAutoScalingClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient


@dataclass(frozen=True)
class Environment:
    """Settings and clients."""

    project: str
    model_role: str
    """ARN of the role that the served containers have."""
    capture_uri: str
    """S3 prefix of captured requests and answers."""
    sagemaker: SageMakerClient
    runtime: SageMakerRuntimeClient
    s3: S3Client
    cloudwatch: CloudWatchClient
    autoscaling: ApplicationAutoScalingClient


def load(variables: Mapping[str, str] = os.environ) -> Environment:
    """Return the environment. Raises RefusedError: a variable is not set."""
    missing = [name for name in ("PROJECT", "MODEL_ROLE_ARN", "CAPTURE_URI") if not variables.get(name)]
    if missing:
        raise RefusedError(f"the function's environment lacks {', '.join(missing)}: deploy it with its template")
    patient = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 6})
    # A server that was just started is asked again by the smoke test, which knows for how long.
    once = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 1})
    return Environment(
        project=variables["PROJECT"],
        model_role=variables["MODEL_ROLE_ARN"],
        capture_uri=variables["CAPTURE_URI"].rstrip("/"),
        sagemaker=boto3.client("sagemaker", config=patient),
        runtime=boto3.client("sagemaker-runtime", config=once),
        s3=boto3.client("s3", config=patient),
        cloudwatch=boto3.client("cloudwatch", config=patient),
        autoscaling=boto3.client("application-autoscaling", config=patient),
    )
