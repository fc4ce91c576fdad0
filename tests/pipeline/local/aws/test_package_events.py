from __future__ import annotations

import re
from typing import Any

import pytest

from pipeline.local.aws import packages

ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package/counts/1"
SPECIFICATION = {
    "Containers": [{"Image": "image", "ModelDataUrl": "s3://bincount-local/model.tar.gz"}],
    "SupportedContentTypes": ["image/jpeg"],
    "SupportedResponseMIMETypes": ["application/json"],
}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return the events so far: their details, with the type and the resources checked."""
    seen: list[dict[str, Any]] = []

    def emit(_account: object, detail_type: str, detail: dict[str, Any], resources: list[str]) -> None:
        assert detail_type == "SageMaker Model Package State Change"
        assert resources == [detail["ModelPackageArn"]]
        seen.append(detail)

    monkeypatch.setattr(packages, "emit", emit)
    return seen


@pytest.fixture
def version(sagemaker: Any, s3: Any, told: list[dict[str, Any]]) -> str:
    s3.put_object(Bucket="bincount-local", Key="model.tar.gz", Body=b"weights")
    sagemaker.create_model_package_group(ModelPackageGroupName="counts")
    made: str = sagemaker.create_model_package(
        ModelPackageGroupName="counts",
        InferenceSpecification=SPECIFICATION,
        MetadataProperties={"CommitId": "abc"},
        CustomerMetadataProperties={"Profile": "demo"},
        ClientToken="once",
    )["ModelPackageArn"]
    return made


def test_a_new_version_is_told(sagemaker: Any, version: str, told: list[dict[str, Any]]) -> None:
    (detail,) = told
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", detail.pop("CreationTime"))
    assert detail == {
        "ModelPackageGroupName": "counts",
        "ModelPackageVersion": 1,
        "ModelPackageArn": ARN,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": SPECIFICATION,
        "MetadataProperties": {"CommitId": "abc"},
    }
    sagemaker.create_model_package(
        ModelPackageGroupName="counts", InferenceSpecification=SPECIFICATION, ClientToken="once"
    )
    sagemaker.create_model_package(ModelPackageName="alone", InferenceSpecification=SPECIFICATION)
    assert len(told) == 1


def test_an_update_tells_what_it_changed(sagemaker: Any, version: str, told: list[dict[str, Any]]) -> None:
    def changed(**request: Any) -> list[list[str]]:
        told.clear()
        sagemaker.update_model_package(ModelPackageArn=version, **request)
        return [detail["UpdatedModelPackageFields"] for detail in told]

    approved = {"ModelApprovalStatus": "Approved", "ApprovalDescription": "good"}
    assert changed(**approved) == [["ModelApprovalStatus", "ApprovalDescription"]]
    assert (told[0]["ModelApprovalStatus"], told[0]["ModelPackageVersion"]) == ("Approved", 1)
    assert "LastModifiedTime" in told[0]
    assert changed(**approved) == []
    assert changed(**{**approved, "ApprovalDescription": "better"}) == [["ApprovalDescription"]]
    assert changed(CustomerMetadataProperties={"StagingStatus": "Passed"}) == [["CustomerMetadataProperties"]]
    assert changed(CustomerMetadataProperties={"StagingStatus": "Passed"}) == []
    assert changed(CustomerMetadataPropertiesToRemove=["Never"]) == []
    assert changed(CustomerMetadataPropertiesToRemove=["Profile", "StagingStatus"]) == [["CustomerMetadataProperties"]]


def test_a_deletion_is_not_told(sagemaker: Any, version: str, told: list[dict[str, Any]]) -> None:
    told.clear()
    sagemaker.delete_model_package(ModelPackageName=version)
    assert told == []
