from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest

from pipeline.aws import registry
from pipeline.aws.models import Score
from pipeline.errors import UserError

Register = Callable[..., str]


@pytest.fixture
def register(session: boto3.Session, s3: Any) -> Register:
    """Return a function that registers a version with a macro-F1."""
    client: Any = session.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="counts")
    s3.put_object(Bucket="bincount-local", Key="model.tar.gz", Body=b"weights")

    def one(macro_f1: float, approval: str = "PendingManualApproval") -> str:
        figure = {"value": macro_f1, "confidence_interval": {"level": 0.95, "lower": 0.25, "upper": 0.75}}
        evaluation = {
            "multiclass_classification_metrics": {"macro_f1": figure},
            "model": {"provenance": {"data_hash": "d1", "commit": "from the artifact"}},
        }
        key = f"evaluation-{macro_f1}.json"
        s3.put_object(Bucket="bincount-local", Key=key, Body=json.dumps(evaluation).encode())
        statistics = {"ContentType": "application/json", "S3Uri": f"s3://bincount-local/{key}"}
        container = {"Image": "image:1", "ModelDataUrl": "s3://bincount-local/model.tar.gz"}
        specification = {"Containers": [container], "SupportedContentTypes": ["image/jpeg"]}
        arn: str = client.create_model_package(
            ModelPackageGroupName="counts",
            ModelApprovalStatus=approval,
            InferenceSpecification={**specification, "SupportedResponseMIMETypes": ["application/json"]},
            ModelMetrics={"ModelQuality": {"Statistics": statistics}},
            MetadataProperties={"CommitId": "abc123", "GeneratedBy": "arn:execution"},
            CustomerMetadataProperties={"Profile": "demo"},
        )["ModelPackageArn"]
        return arn

    return one


def test_versions_have_scores_and_lineage(session: boto3.Session, register: Register) -> None:
    register(0.5)
    register(0.625, "Approved")
    newest, oldest = registry.versions(session, "counts")
    assert (newest.number, newest.status, newest.champion) == (2, "Approved", True)
    assert (oldest.number, oldest.status, oldest.champion) == (1, "PendingManualApproval", False)
    assert newest.score == Score(0.625, (0.25, 0.75))
    assert newest.lineage == {"data_hash": "d1", "commit": "abc123", "execution": "arn:execution"}
    assert (newest.model_data, newest.image) == ("s3://bincount-local/model.tar.gz", "image:1")
    assert newest.metadata == {"Profile": "demo"}


def test_the_champion_is_the_latest_approved(session: boto3.Session, register: Register) -> None:
    assert registry.champion(session, "counts") is None
    for approval in ("Approved", "Approved", "Rejected", "PendingManualApproval"):
        register(0.5, approval)
    champion = registry.champion(session, "counts")
    assert champion is not None
    assert (champion.number, champion.champion) == (2, True)


def test_a_version_is_found_by_its_number(session: boto3.Session, register: Register) -> None:
    for _ in range(3):
        register(0.5)
    assert registry.version(session, "counts", 2).number == 2
    with pytest.raises(UserError, match="there is no version 9 of counts: `bincount models` lists them"):
        registry.version(session, "counts", 9)


def test_a_group_that_is_not_there_yet_is_empty(session: boto3.Session) -> None:
    assert registry.versions(session, "counts") == []
    assert registry.champion(session, "counts") is None
    with pytest.raises(UserError, match="no version 1"):
        registry.version(session, "counts", 1)


@pytest.mark.parametrize("body", [None, b"not json", b"[]", b'{"multiclass_classification_metrics": 3}', b"\xff"])
def test_a_version_whose_evaluation_cannot_be_read_has_no_score(
    session: boto3.Session, s3: Any, register: Register, body: bytes | None
) -> None:
    register(0.5)
    if body is None:
        s3.delete_object(Bucket="bincount-local", Key="evaluation-0.5.json")
    else:
        s3.put_object(Bucket="bincount-local", Key="evaluation-0.5.json", Body=body)
    found = registry.versions(session, "counts")[0]
    assert found.score is None
    assert found.lineage == {"commit": "abc123", "execution": "arn:execution"}
