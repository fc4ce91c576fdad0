"""The function's environment: what the template sets, and the clients of the account that it runs in."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

from drift.errors import RefusedError

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

_PATIENT = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 6})


@dataclass(frozen=True)
class Environment:
    """Settings, and clients that are made when first needed."""

    project: str
    psi_limit: float
    """The population stability index from which on a shift is drift."""

    @cached_property
    def sagemaker(self) -> SageMakerClient:
        """Endpoints and registry."""
        return boto3.client("sagemaker", config=_PATIENT)

    @cached_property
    def s3(self) -> S3Client:
        """Where captured answers and baselines are."""
        return boto3.client("s3", config=_PATIENT)

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        """Where the figures go."""
        return boto3.client("cloudwatch", config=_PATIENT)


def load(variables: Mapping[str, str] = os.environ) -> Environment:
    """Return the environment. Raises RefusedError: a variable is not set, or no such number."""
    missing = [name for name in ("PROJECT", "PSI_LIMIT") if not variables.get(name)]
    if missing:
        raise RefusedError(f"the function's environment lacks {', '.join(missing)}: deploy it with its template")
    try:
        limit = float(variables["PSI_LIMIT"])
    except ValueError:
        limit = math.nan
    if not 0 < limit < math.inf:
        raise RefusedError(f"PSI_LIMIT is a number above 0, not {variables['PSI_LIMIT']!r}")
    return Environment(variables["PROJECT"], limit)
