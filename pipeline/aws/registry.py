"""The model registry: versions of the model, how good they are, where they came from, which one is the champion."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws.errors import aws_errors, is_missing
from pipeline.aws.models import Score, Version
from pipeline.aws.objects import read_text
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

_APPROVED = "Approved"
_LISTED = 100


@aws_errors()
def versions(session: boto3.Session, group: str) -> list[Version]:
    """Return a group's 100 newest versions, the newest first; none where there is no such group. Raises UserError."""
    listed = _summaries(session.client("sagemaker"), group, _LISTED)
    best = champion_arn(session, group)
    return [_version(session, summary["ModelPackageArn"], best) for summary in listed]


@aws_errors()
def version(session: boto3.Session, group: str, number: int) -> Version:
    """Return one version. Raises UserError where there is none."""
    for summary in _summaries(session.client("sagemaker"), group, limit=None):
        if summary["ModelPackageVersion"] == number:
            return _version(session, summary["ModelPackageArn"], champion_arn(session, group))
    raise UserError(f"there is no version {number} of {group}: `bincount models` lists them")


@aws_errors()
def champion(session: boto3.Session, group: str) -> Version | None:
    """Return the latest Approved version, or None. Raises UserError."""
    arn = champion_arn(session, group)
    return None if arn is None else _version(session, arn, arn)


@aws_errors()
def approved(session: boto3.Session, group: str) -> list[Version]:
    """Return the Approved versions, the newest first, which is the champion. Raises UserError."""
    listed = _summaries(session.client("sagemaker"), group, limit=None, ModelApprovalStatus=_APPROVED)
    arns = [summary["ModelPackageArn"] for summary in listed]
    return [_version(session, arn, arns[0]) for arn in arns]


@aws_errors()
def holders(session: boto3.Session, groups: Iterable[str], number: int) -> list[str]:
    """Return the groups that have a version of this number. Raises UserError."""
    client = session.client("sagemaker")
    return [
        group
        for group in groups
        if any(summary["ModelPackageVersion"] == number for summary in _summaries(client, group, limit=None))
    ]


@aws_errors()
def card(session: boto3.Session, found: Version) -> Mapping[str, Any]:
    """Return what the version's model card holds, as SageMaker's model-card JSON schema has it; nothing without one.

    Raises UserError.
    """
    about: Any = session.client("sagemaker").describe_model_package(ModelPackageName=found.arn)
    return _object(about.get("ModelCard", {}).get("ModelCardContent", ""))


@aws_errors()
def champion_arn(session: boto3.Session, group: str) -> str | None:
    """Return the ARN of the latest Approved version, or None. Raises UserError."""
    approved = _summaries(session.client("sagemaker"), group, limit=1, ModelApprovalStatus=_APPROVED)
    return approved[0]["ModelPackageArn"] if approved else None


def _summaries(client: Any, group: str, limit: int | None, **filters: str) -> list[dict[str, Any]]:  # noqa: ANN401
    pages = client.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group,
        SortBy="CreationTime",
        SortOrder="Descending",
        PaginationConfig={"MaxItems": limit, "PageSize": 100 if limit is None else min(limit, 100)},
        **filters,
    )
    try:
        return [summary for page in pages for summary in page["ModelPackageSummaryList"]]
    except ClientError as error:
        if is_missing(error):  # the first registration makes the group
            return []
        raise


def _version(session: boto3.Session, arn: str, best: str | None) -> Version:
    about: Any = session.client("sagemaker").describe_model_package(ModelPackageName=arn)
    evaluation = about.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {}).get("S3Uri")
    report = read_evaluation(session, evaluation)
    container = about.get("InferenceSpecification", {}).get("Containers", [{}])[0]
    return Version(
        group=about["ModelPackageGroupName"],
        number=about["ModelPackageVersion"],
        arn=arn,
        status=about["ModelApprovalStatus"],
        created=about["CreationTime"],
        model_data=container.get("ModelDataUrl", ""),
        image=container.get("Image", ""),
        champion=arn == best,
        note=about.get("ApprovalDescription"),
        score=_score(report),
        evaluation=evaluation,
        lineage=_lineage(about.get("MetadataProperties", {}), report),
        metadata=about.get("CustomerMetadataProperties") or {},
    )


def read_evaluation(session: boto3.Session, uri: str | None) -> Mapping[str, Any]:
    """Return evaluation.json, or nothing where it is gone: the version is there all the same."""
    if uri is None:
        return {}
    try:
        return _object(read_text(session, uri))
    except UserError:
        return {}


def _object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _score(evaluation: Mapping[str, Any]) -> Score | None:
    figure = _inner(evaluation, "multiclass_classification_metrics", "macro_f1")
    interval = _inner(figure, "confidence_interval")
    value, lower, upper = figure.get("value"), interval.get("lower"), interval.get("upper")
    if not isinstance(value, int | float):
        return None
    bounds = (float(lower), float(upper)) if isinstance(lower, int | float) and isinstance(upper, int | float) else None
    return Score(float(value), bounds)


def _lineage(properties: Mapping[str, str], evaluation: Mapping[str, Any]) -> dict[str, str]:
    names = {"CommitId": "commit", "GeneratedBy": "execution", "Repository": "repository"}
    recorded = {name: properties[key] for key, name in names.items() if properties.get(key)}
    trained = {key: str(value) for key, value in _inner(evaluation, "model", "provenance").items()}
    return trained | recorded


def _inner(value: Mapping[str, Any], *path: str) -> Mapping[str, Any]:
    for name in path:
        inner = value.get(name)
        value = inner if isinstance(inner, dict) else {}
    return value
