"""The clients of AWS: made when first needed, kept while the function's process lives."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from predict.limits import ATTEMPTS, CONNECT_SECONDS, ENDPOINT_READ_SECONDS, S3_READ_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient


@cache
def s3() -> S3Client:
    """Return the client that reads photos."""
    return boto3.client("s3", config=_config(S3_READ_SECONDS))


@cache
def runtime() -> SageMakerRuntimeClient:
    """Return the client that asks endpoints."""
    return boto3.client("sagemaker-runtime", config=_config(ENDPOINT_READ_SECONDS))


def _config(read_seconds: float) -> Config:
    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    )
