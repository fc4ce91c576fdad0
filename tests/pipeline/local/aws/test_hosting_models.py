from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/bincount-inference:1"
MODEL = "s3://bincount-local/models/a/model.tar.gz"
ARN = "arn:aws:sagemaker:us-east-1:000000000000"
CONTAINER = {"Image": IMAGE, "ModelDataUrl": MODEL, "Environment": {"MODEL_VERSION": "bincount-demo/1"}}

Register = Callable[[str], str]


@pytest.fixture(autouse=True)
def _data(s3: Any) -> None:
    s3.put_object(Bucket="bincount-local", Key="models/a/model.tar.gz", Body=b"weights")


@pytest.fixture
def register(sagemaker: Any) -> Register:
    """Return a function that registers a version of this approval and gives its ARN."""
    sagemaker.create_model_package_group(ModelPackageGroupName="counts")

    def one(approval: str) -> str:
        packaged = {"Image": IMAGE, "ModelDataUrl": MODEL, "Environment": {"A": "package", "B": "package"}}
        arn: str = sagemaker.create_model_package(
            ModelPackageGroupName="counts",
            ModelApprovalStatus=approval,
            InferenceSpecification={
                "Containers": [packaged],
                "SupportedContentTypes": ["image/jpeg"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )["ModelPackageArn"]
        return arn

    return one


def test_a_model_is_described_as_it_was_made(sagemaker: Any) -> None:
    tags = [{"Key": "version", "Value": "1"}]
    for name, member in (("a", {"PrimaryContainer": CONTAINER}), ("b", {"Containers": [CONTAINER]})):
        arn = sagemaker.create_model(ModelName=name, **member, EnableNetworkIsolation=True, Tags=tags)["ModelArn"]
        assert arn == f"{ARN}:model/{name}"
        found = sagemaker.describe_model(ModelName=name)
        assert {"ModelName": name, "ModelArn": arn, "EnableNetworkIsolation": True, **member}.items() <= found.items()
        assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == tags


def test_models_are_listed_newest_first_by_pages(sagemaker: Any) -> None:
    for name in ("one", "two", "three", "other"):
        sagemaker.create_model(ModelName=name, PrimaryContainer=CONTAINER)
    first = sagemaker.list_models(MaxResults=3)
    rest = sagemaker.list_models(MaxResults=3, NextToken=first["NextToken"])
    assert [one["ModelName"] for one in first["Models"] + rest["Models"]] == ["other", "three", "two", "one"]
    named = sagemaker.list_models(NameContains="T", SortBy="Name", SortOrder="Ascending")["Models"]
    assert [one["ModelName"] for one in named] == ["other", "three", "two"]


def test_a_deleted_model_is_gone_with_its_tags(sagemaker: Any) -> None:
    sagemaker.create_model(ModelName="a", PrimaryContainer=CONTAINER, Tags=[{"Key": "old", "Value": "1"}])
    sagemaker.delete_model(ModelName="a")
    for call in (sagemaker.describe_model, sagemaker.delete_model):
        with pytest.raises(ClientError, match=f'Could not find model "{ARN}:model/a"'):
            call(ModelName="a")
    arn = sagemaker.create_model(ModelName="a", PrimaryContainer=CONTAINER)["ModelArn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == []


def test_an_approved_version_is_deployed_by_its_name(sagemaker: Any, register: Register, store: Any) -> None:
    container = {"ModelPackageName": register("Approved"), "Environment": {"B": "own"}}
    sagemaker.create_model(ModelName="a", PrimaryContainer=container)
    assert sagemaker.describe_model(ModelName="a")["PrimaryContainer"] == container
    resolved = {"Image": IMAGE, "ModelDataUrl": MODEL, "Environment": {"A": "package", "B": "own"}}
    assert store.get("model", "a")["_container"] == resolved


@pytest.mark.parametrize("approval", ["PendingManualApproval", "Rejected"])
def test_another_version_is_not(sagemaker: Any, register: Register, approval: str) -> None:
    container = {"ModelPackageName": register(approval)}
    with pytest.raises(ClientError, match=f"is {approval}: only an Approved version") as caught:
        sagemaker.create_model(ModelName="a", PrimaryContainer=container)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
    assert sagemaker.list_models()["Models"] == []


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"PrimaryContainer": CONTAINER | {"ModelDataUrl": "s3://bincount-local/no"}}, "Could not find model data at"),
        ({"PrimaryContainer": CONTAINER | {"ModelPackageName": "counts/1"}}, "either an Image or a ModelPackageName"),
        ({"PrimaryContainer": {"ModelDataUrl": MODEL}}, "either an Image or a ModelPackageName"),
        ({"PrimaryContainer": {"ModelPackageName": "counts/9"}}, "counts/9 does not exist"),
        ({"PrimaryContainer": {"ModelPackageName": "counts/1", "ModelDataUrl": MODEL}}, "no ModelDataUrl of its own"),
        ({}, "either PrimaryContainer or Containers"),
        ({"PrimaryContainer": CONTAINER, "Containers": [CONTAINER]}, "either PrimaryContainer or Containers"),
        ({"Containers": [CONTAINER, CONTAINER]}, "a model of several containers is not part of local AWS"),
        ({"PrimaryContainer": CONTAINER | {"Mode": "MultiModel"}}, "Mode is not part of local AWS"),
        ({"PrimaryContainer": CONTAINER | {"MultiModelConfig": {}}}, "MultiModelConfig is not part of local AWS"),
    ],
)
def test_what_is_refused(sagemaker: Any, request_: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        sagemaker.create_model(ModelName="a", **request_)


def test_an_existing_name_is_refused(sagemaker: Any) -> None:
    sagemaker.create_model(ModelName="a", PrimaryContainer=CONTAINER)
    with pytest.raises(ClientError, match=f'Cannot create already existing model "{ARN}:model/a"') as caught:
        sagemaker.create_model(ModelName="a", PrimaryContainer=CONTAINER)
    assert caught.value.response["Error"]["Code"] == "ValidationException"
