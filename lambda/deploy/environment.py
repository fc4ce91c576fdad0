"""The function's environment: what the template sets, and the clients of the account that it runs in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
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


_PATIENT = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 6})
# A server that was just started is asked again by the smoke test, which knows for how long.
_ONCE = Config(connect_timeout=5, read_timeout=15, retries={"total_max_attempts": 1})


@dataclass(frozen=True)
class Environment:
    """Settings, and clients that are made when first needed."""

    project: str
    model_role: str
    """ARN of the role that the served containers have."""
    capture_uri: str
    """S3 prefix of captured requests and answers."""

    @cached_property
    def sagemaker(self) -> SageMakerClient:
        """Registry and endpoints."""
        return boto3.client("sagemaker", config=_PATIENT)

    @cached_property
    def runtime(self) -> SageMakerRuntimeClient:
        """What asks endpoints, each time once."""
        return boto3.client("sagemaker-runtime", config=_ONCE)

    @cached_property
    def s3(self) -> S3Client:
        """Where the smoke test's photo is."""
        return boto3.client("s3", config=_PATIENT)

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        """Alarms."""
        return boto3.client("cloudwatch", config=_PATIENT)

    @cached_property
    def autoscaling(self) -> ApplicationAutoScalingClient:
        """Scalable targets and policies."""
        return boto3.client("application-autoscaling", config=_PATIENT)


def load(variables: Mapping[str, str] = os.environ) -> Environment:
    """Return the environment. Raises RefusedError: a variable is not set."""
    missing = [name for name in ("PROJECT", "MODEL_ROLE_ARN", "CAPTURE_URI") if not variables.get(name)]
    if missing:
        raise RefusedError(f"the function's environment lacks {', '.join(missing)}: deploy it with its template")
    return Environment(variables["PROJECT"], variables["MODEL_ROLE_ARN"], variables["CAPTURE_URI"].rstrip("/"))
