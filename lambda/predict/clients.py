"""The clients of AWS: made when first needed, kept while the function's process lives."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

import boto3
import botocore.session
from botocore.config import Config
from botocore.loaders import Loader

from predict.limits import ATTEMPTS, CONNECT_SECONDS, ENDPOINT_READ_SECONDS, S3_READ_SECONDS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker_runtime import SageMakerRuntimeClient


class _Loader(Loader):
    """botocore's, without what it reads and looks for of other services, most of what it does before the first call."""

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """Return a data file and where it lies.

        Of endpoints.json (1.25 MB) the two services need nothing: the rules that botocore has for each of them name
        their endpoints. The path tells that these are not a user's own.
        """
        if name == "endpoints":
            return {"version": 3, "partitions": []}, self.BUILTIN_DATA_PATH
        return cast("tuple[Any, str]", super().load_data_with_path(name))

    def list_available_services(self, type_name: str) -> list[str]:  # noqa: ARG002 - the signature is botocore's
        """Return the services whose clients the function makes, which botocore would look through 400 folders for."""
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
        s3={"us_east_1_regional_endpoint": "regional"},  # like every other region; the global one is in endpoints.json
        connect_timeout=CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
    )
