"""The clients of AWS: made when first needed, kept while the function's process lives."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

from predict.limits import ATTEMPTS, CONNECT_SECONDS, ENDPOINT_READ_SECONDS, S3_READ_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient


class _Loader(Loader):
    """botocore's, which for the first client lists the folders of all 400 services twice: a fifth of a cold start."""

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - the signature is botocore's
        """Return the services whose clients the function makes."""
        return ["s3", "sagemaker-runtime"]


@cache
def s3() -> S3Client:
    """Return the client that reads photos."""
    return _session().client("s3", config=_config(S3_READ_SECONDS))


@cache
def runtime() -> SageMakerRuntimeClient:
    """Return the client that asks endpoints."""
    return _session().client("sagemaker-runtime", config=_config(ENDPOINT_READ_SECONDS))


def _session() -> boto3.Session:
    """Return boto3's default session; where nobody has set one up, it gets the loader."""
    if boto3.DEFAULT_SESSION is None:
        session = botocore.session.get_session()
        session.register_component("data_loader", _Loader())
        boto3.setup_default_session(botocore_session=session)
    return boto3._get_default_session()


def _config(read_seconds: float) -> Config:
    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    )
