"""What the other tests on moto rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.extended_moto import Endpoints

IMAGE = {"Image": "image", "ModelDataUrl": "s3://bucket/model.tar.gz"}
ROLE = "arn:aws:iam::123456789012:role/model"


def config(session: boto3.Session, name: str) -> None:
    variant = {"VariantName": "AllTraffic", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m7i.large"}
    client: Any = session.client("sagemaker")
    client.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[variant],
    )


def test_an_endpoint_passes_through_its_states(moto_session: boto3.Session, moto_endpoints: Endpoints) -> None:
    client: Any = moto_session.client("sagemaker")
    client.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer=IMAGE, EnableNetworkIsolation=True)
    assert client.describe_model(ModelName="m")["EnableNetworkIsolation"]
    for name in "ab":
        config(moto_session, name)
    moto_endpoints.hold = True
    client.create_endpoint(EndpointName="e", EndpointConfigName="a")
    assert client.describe_endpoint(EndpointName="e")["EndpointStatus"] == "Creating"
    with pytest.raises(ClientError, match="Cannot create already existing endpoint"):
        client.create_endpoint(EndpointName="e", EndpointConfigName="a")
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        client.update_endpoint(EndpointName="e", EndpointConfigName="b")
    moto_endpoints.finish("e")
    client.update_endpoint(EndpointName="e", EndpointConfigName="b")
    moto_endpoints.fail("e", "no ping")
    found = client.describe_endpoint(EndpointName="e")
    assert (found["EndpointStatus"], found["EndpointConfigName"], found["FailureReason"]) == (
        "InService",
        "a",
        "no ping",
    )
    client.update_endpoint(EndpointName="e", EndpointConfigName="b")
    moto_endpoints.finish("e")
    assert client.describe_endpoint(EndpointName="e")["EndpointConfigName"] == "b"
    client.delete_endpoint(EndpointName="e")
    assert client.describe_endpoint(EndpointName="e")["EndpointStatus"] == "Deleting"
    moto_endpoints.finish("e")
    with pytest.raises(ClientError, match="Could not find endpoint"):
        client.describe_endpoint(EndpointName="e")


def test_what_exists_is_not_made_again(moto_session: boto3.Session) -> None:
    client: Any = moto_session.client("sagemaker")
    client.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer=IMAGE)
    with pytest.raises(ClientError, match="Cannot create already existing model"):
        client.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer=IMAGE)
    config(moto_session, "a")
    with pytest.raises(ClientError, match="Cannot create already existing endpoint configuration"):
        config(moto_session, "a")
    client.create_endpoint(EndpointName="e", EndpointConfigName="a")
    assert client.describe_endpoint(EndpointName="e")["EndpointStatus"] == "InService"
    assert [one["ModelName"] for one in client.list_models(NameContains="m")["Models"]] == ["m"]
    assert client.list_models(NameContains="x")["Models"] == []


def test_a_package_keeps_what_an_update_does_not_name(moto_session: boto3.Session) -> None:
    client: Any = moto_session.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="g")
    arns = [
        client.create_model_package(
            ModelPackageGroupName="g",
            InferenceSpecification={"Containers": [IMAGE], "SupportedContentTypes": ["image/jpeg"]},
            ModelApprovalStatus="PendingManualApproval",
            CustomerMetadataProperties={"a": "1"},
        )["ModelPackageArn"]
        for _ in range(2)
    ]
    with pytest.raises(ClientError, match="Approved"):
        client.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": arns[0]})
    client.update_model_package(ModelPackageArn=arns[0], ModelApprovalStatus="Approved")
    client.update_model_package(ModelPackageArn=arns[0], CustomerMetadataProperties={"b": "2"})
    found = client.describe_model_package(ModelPackageName=arns[0])
    assert found["ModelApprovalStatus"] == "Approved"
    assert found["CustomerMetadataProperties"] == {"a": "1", "b": "2"}
    client.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer={"ModelPackageName": arns[0]})
    client.delete_model_package(ModelPackageName=arns[1])
    third = client.create_model_package(ModelPackageGroupName="g")["ModelPackageArn"]
    assert third.endswith("/g/3")
    listed = client.list_model_packages(ModelPackageGroupName="g")["ModelPackageSummaryList"]
    assert [one["ModelPackageVersion"] for one in listed] == [1, 3]
    with pytest.raises(ClientError, match="still holds versions"):
        client.delete_model_package_group(ModelPackageGroupName="g")
