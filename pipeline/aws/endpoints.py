"""Endpoints: which version each serves and how it is, and photos sent to them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws.deployment import served_version
from pipeline.aws.errors import aws_errors, code_of, is_missing, message_of
from pipeline.aws.models import PRODUCTION, STAGING, Verdict
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

BODY_BYTES = 6_291_456
"""The largest photo that an endpoint takes."""

BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
_NAME = re.compile(rf"(?P<group>.+)-(?P<stage>{STAGING}|{PRODUCTION})")
_MODEL_ERROR = re.compile(r'error \((?P<status>\d{3})\).*? message "(?P<message>.*)"', re.DOTALL)


@dataclass(frozen=True)
class Endpoint:
    """An endpoint of ours."""

    name: str
    group: str
    stage: str
    status: str
    """InService, Creating, Updating, ..., as the service has it."""
    version: int | None
    """The version that it serves; None where its config is none of ours."""
    pending: int | None
    """The version that is being deployed."""
    instances: int
    """Of the variant, now; 0 until the first are up."""
    desired: int
    verdict: Verdict
    """What the deploy function found of the version that it serves."""
    created: datetime
    reason: str
    """Why the last deployment failed; empty where it did not."""

    @property
    def busy(self) -> bool:
        """Whether the service is at work on it."""
        return self.status in BUSY


@aws_errors()
def endpoints(session: boto3.Session, prefix: str = "") -> list[Endpoint]:
    """Return the endpoints of a stage whose names begin with `prefix`, by name. Raises UserError."""
    pages = session.client("sagemaker").get_paginator("list_endpoints").paginate(SortBy="Name", SortOrder="Ascending")
    names = [one["EndpointName"] for page in pages for one in page["Endpoints"]]
    ours = [name for name in names if name.startswith(prefix) and _NAME.fullmatch(name)]
    found = [describe(session, name) for name in ours]
    return [one for one in found if one is not None]


@aws_errors()
def describe(session: boto3.Session, name: str) -> Endpoint | None:
    """Return an endpoint, or None where there is none of this name. Raises UserError: not named as ours are."""
    parts = _NAME.fullmatch(name)
    if parts is None:
        raise UserError(f"{name} is no endpoint of ours: those end with -{STAGING} or -{PRODUCTION}")
    try:
        about: Any = session.client("sagemaker").describe_endpoint(EndpointName=name)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    variants = about.get("ProductionVariants") or [{}]
    version = served_version(name, about.get("EndpointConfigName", ""))
    pending = served_version(name, about.get("PendingDeploymentSummary", {}).get("EndpointConfigName", ""))
    account = about["EndpointArn"].partition(":endpoint/")[0]
    package = f"{account}:model-package/{parts['group']}/{version}"
    return Endpoint(
        name=name,
        group=parts["group"],
        stage=parts["stage"],
        status=about["EndpointStatus"],
        version=version,
        pending=pending if pending != version else None,
        instances=variants[0].get("CurrentInstanceCount", 0),
        desired=variants[0].get("DesiredInstanceCount", 0),
        verdict=Verdict() if version is None else _verdict(session, package, parts["stage"]),
        created=about["CreationTime"],
        reason=about.get("FailureReason") or "",
    )


def _verdict(session: boto3.Session, package: str, stage: str) -> Verdict:
    try:
        about = session.client("sagemaker").describe_model_package(ModelPackageName=package)
    except ClientError as error:
        if is_missing(error):  # a version that was deleted
            return Verdict()
        raise
    return Verdict.of(about.get("CustomerMetadataProperties", {}), stage)


class RefusedError(UserError):
    """The model does not take this photo; it may take the next."""


@aws_errors()
def predict(session: boto3.Session, name: str, photo: bytes, content_type: str) -> Mapping[str, Any]:
    """Send a photo and return what the model answers: predicted_label, confidence, probabilities, ...

    Raises:
        RefusedError: the model answers with an error: no picture, truncated, too large.
        UserError: there is no such endpoint, it does not answer, or not with a JSON object.
    """
    if len(photo) > BODY_BYTES:
        raise RefusedError(f"it is larger than the {BODY_BYTES // 2**20} MiB that an endpoint takes")
    client = session.client("sagemaker-runtime")
    try:
        answer = client.invoke_endpoint(
            EndpointName=name, ContentType=content_type, Accept="application/json", Body=photo
        )
    except ClientError as error:
        if code_of(error) == "ModelError":
            raise RefusedError(_model_error(error)) from error
        raise
    return _object(answer["Body"].read(), f"{name} answers with no JSON object")


def _model_error(error: ClientError) -> str:
    """Return what the container said, which is `{"error": "..."}`, and its status."""
    response: Mapping[str, Any] = error.response
    quoted = _MODEL_ERROR.search(message_of(error))
    status = response.get("OriginalStatusCode") or (quoted and quoted["status"])
    said = response.get("OriginalMessage") or (quoted["message"] if quoted else message_of(error))
    try:
        text = str(_object(said.encode(), "")["error"])
    except (UserError, KeyError):
        text = said
    return " ".join(f"{text} ({status})".split() if status else text.split())


def _object(body: bytes, otherwise: str) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise UserError(otherwise)
    return found
