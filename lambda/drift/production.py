"""Production: the version that it serves, and where its answers are kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drift.errors import is_missing
from drift.event import Question

if TYPE_CHECKING:
    from drift.environment import Environment

VARIANT = "AllTraffic"
"""The only one of the deploy function's endpoints."""


@dataclass(frozen=True)
class Place:
    """A bucket, and a key or the beginning of keys."""

    bucket: str
    key: str


@dataclass(frozen=True)
class Production:
    """An endpoint that serves a version of ours."""

    group: str
    version: int
    account: str
    """The beginning of its region's and account's ARNs: arn:aws:sagemaker:us-east-1:123456789012."""
    captures: Place | None
    """Above the endpoint's folder; None: it keeps nothing."""

    @property
    def model_version(self) -> str:
        """What its server calls itself in each answer."""
        return f"{self.group}/{self.version}"


def find(environment: Environment, question: Question) -> Production | None:
    """Return what serves a group in production; None: nothing does, or nothing of the deploy function's."""
    name = question.endpoint
    try:
        about: Any = environment.sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    # The deploy function names a config after its version and its content.
    config = re.fullmatch(re.escape(name) + r"-v([1-9]\d*)-[0-9a-f]{8}", about.get("EndpointConfigName", ""))
    if config is None:
        return None
    capture = about.get("DataCaptureConfig") or {}
    return Production(
        group=question.group,
        version=int(config[1]),
        account=about["EndpointArn"].partition(":endpoint/")[0],
        captures=place(capture.get("DestinationS3Uri", "")) if capture.get("EnableCapture") else None,
    )


def baseline_place(environment: Environment, production: Production) -> Place | None:
    """Return where the version's baseline.json lies, as its DriftCheckBaselines say; None: nowhere."""
    arn = f"{production.account}:model-package/{production.group}/{production.version}"
    try:
        about: Mapping[str, Any] = environment.sagemaker.describe_model_package(ModelPackageName=arn)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    quality = about.get("DriftCheckBaselines", {}).get("ModelQuality", {})
    return place(quality.get("Statistics", {}).get("S3Uri", ""))


def place(uri: str) -> Place | None:
    """Return where an S3 URI points; None where it is none."""
    found = re.fullmatch(r"s3://([^/]+)/(.*[^/])/*", uri)
    return Place(found[1], found[2]) if found else None
