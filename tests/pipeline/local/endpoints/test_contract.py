"""The same calls to local AWS and to moto as the tests mend it: what clients see must be the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

SOON = {"Delay": 0.05, "MaxAttempts": 400}


@pytest.fixture(params=["local", "moto"])
def sagemaker(request: pytest.FixtureRequest) -> Any:
    """Return a client of local AWS, and in a second run of moto, with model data in its S3."""
    if request.param == "local":
        return request.getfixturevalue("hosting").sagemaker
    session = request.getfixturevalue("moto_session")
    session.client("s3").create_bucket(Bucket="bincount-local")
    session.client("s3").put_object(Bucket="bincount-local", Key="model.tar.gz", Body=b"weights")
    return session.client("sagemaker")


def _make(sagemaker: Any, version: str, instances: int = 1) -> None:
    container = {"Image": "x/image:1", "ModelDataUrl": "s3://bincount-local/model.tar.gz", "Environment": {"A": "1"}}
    role = "arn:aws:iam::000000000000:role/model"
    sagemaker.create_model(ModelName=version, PrimaryContainer=container, ExecutionRoleArn=role)
    variant = {"VariantName": "AllTraffic", "ModelName": version, "InitialInstanceCount": instances}
    variants = [{**variant, "InstanceType": "ml.m5.large", "InitialVariantWeight": 1.0}]
    tags = [{"Key": "version", "Value": version}]
    sagemaker.create_endpoint_config(EndpointConfigName=version, ProductionVariants=variants, Tags=tags)


def _refusal(call: Callable[[], object]) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    return error["Code"], re.split(r" [\"']", error["Message"])[0]  # moto quotes otherwise


def test_models_and_configurations(sagemaker: Any) -> None:
    _make(sagemaker, "v1", 2)
    model = sagemaker.describe_model(ModelName="v1")
    assert model["PrimaryContainer"]["ModelDataUrl"] == "s3://bincount-local/model.tar.gz"
    assert model["PrimaryContainer"]["Environment"] == {"A": "1"}
    assert model["ModelArn"].endswith(":model/v1")
    assert [one["ModelName"] for one in sagemaker.list_models()["Models"]] == ["v1"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName="v1")
    assert config["ProductionVariants"][0]["InitialInstanceCount"] == 2
    assert sagemaker.list_tags(ResourceArn=config["EndpointConfigArn"])["Tags"] == [{"Key": "version", "Value": "v1"}]
    listed = sagemaker.list_endpoint_configs()["EndpointConfigs"]
    assert [one["EndpointConfigArn"] for one in listed] == [config["EndpointConfigArn"]]
    sagemaker.delete_endpoint_config(EndpointConfigName="v1")
    sagemaker.delete_model(ModelName="v1")
    assert sagemaker.list_models()["Models"] == sagemaker.list_endpoint_configs()["EndpointConfigs"] == []


def test_the_life_of_an_endpoint(sagemaker: Any) -> None:
    _make(sagemaker, "v1")
    _make(sagemaker, "v2", 2)
    arn = sagemaker.create_endpoint(EndpointName="bins", EndpointConfigName="v1")["EndpointArn"]
    assert arn.endswith(":endpoint/bins")
    for config in ("v1", "v2"):
        if config != "v1":
            assert sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName=config)["EndpointArn"] == arn
        sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="bins", WaiterConfig=SOON)
        found = sagemaker.describe_endpoint(EndpointName="bins")
        assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", config)
        assert found["ProductionVariants"][0]["VariantName"] == "AllTraffic"
        assert "FailureReason" not in found
    (listed,) = sagemaker.list_endpoints(NameContains="bin", StatusEquals="InService")["Endpoints"]
    assert (listed["EndpointArn"], listed["EndpointStatus"]) == (arn, "InService")
    sagemaker.delete_endpoint(EndpointName="bins")
    sagemaker.get_waiter("endpoint_deleted").wait(EndpointName="bins", WaiterConfig=SOON)
    assert sagemaker.list_endpoints()["Endpoints"] == []


def test_refusals(sagemaker: Any) -> None:
    invalid = "ValidationException"
    gone = (invalid, "Could not find endpoint")
    assert _refusal(lambda: sagemaker.describe_endpoint(EndpointName="no")) == gone
    assert _refusal(lambda: sagemaker.delete_endpoint(EndpointName="no")) == gone
    assert _refusal(lambda: sagemaker.describe_endpoint_config(EndpointConfigName="no"))[0] == invalid
    assert _refusal(lambda: sagemaker.describe_model(ModelName="no")) == (invalid, "Could not find model")
    _make(sagemaker, "v1")
    _make(sagemaker, "v2")
    create = {"EndpointName": "bins", "EndpointConfigName": "v1"}
    sagemaker.create_endpoint(**create)
    existing = "Cannot create already existing"
    assert _refusal(lambda: sagemaker.create_endpoint(**create)) == (invalid, f"{existing} endpoint")
    assert _refusal(lambda: _make(sagemaker, "v1")) == (invalid, f"{existing} model")
    variant = {"VariantName": "A", "ModelName": "v1", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    again = {"EndpointConfigName": "v1", "ProductionVariants": [variant]}
    refusal = _refusal(lambda: sagemaker.create_endpoint_config(**again))
    assert refusal == (invalid, f"{existing} endpoint configuration")
    assert _refusal(lambda: sagemaker.update_endpoint(EndpointName="no", EndpointConfigName="v1")) == gone


def test_an_unapproved_version_is_not_deployed_by_its_name(sagemaker: Any) -> None:
    sagemaker.create_model_package_group(ModelPackageGroupName="counts")
    specification = {
        "Containers": [{"Image": "x/image:1", "ModelDataUrl": "s3://bincount-local/model.tar.gz"}],
        "SupportedContentTypes": ["image/jpeg"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    package = sagemaker.create_model_package(
        ModelPackageGroupName="counts",
        InferenceSpecification=specification,
        ModelApprovalStatus="PendingManualApproval",
    )["ModelPackageArn"]
    request = {
        "ModelName": "m",
        "PrimaryContainer": {"ModelPackageName": package},
        "ExecutionRoleArn": "arn:aws:iam::000000000000:role/model",
    }
    assert _refusal(lambda: sagemaker.create_model(**request))[0] == "ValidationException"
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    assert sagemaker.create_model(**request)["ModelArn"].endswith(":model/m")
