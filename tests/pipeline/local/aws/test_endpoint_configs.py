from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint-config"
VARIANT = {"VariantName": "AllTraffic", "ModelName": "m", "InitialInstanceCount": 2, "InstanceType": "ml.m5.large"}
CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 20,
    "DestinationS3Uri": "s3://bincount-local/capture",
    "CaptureOptions": [{"CaptureMode": "Input"}],
}


@pytest.fixture(autouse=True)
def _model(sagemaker: Any) -> None:
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": "x/image:1"})


def test_a_configuration_is_described_as_it_was_made(sagemaker: Any) -> None:
    tags = [{"Key": "stage", "Value": "staging"}]
    sagemaker.create_endpoint_config(
        EndpointConfigName="c", ProductionVariants=[VARIANT], DataCaptureConfig=CAPTURE, Tags=tags
    )
    found = sagemaker.describe_endpoint_config(EndpointConfigName="c")
    assert found["ProductionVariants"] == [{**VARIANT, "InitialVariantWeight": 1.0}]
    assert found["DataCaptureConfig"] == CAPTURE
    assert sagemaker.list_tags(ResourceArn=found["EndpointConfigArn"])["Tags"] == tags


def test_configurations_are_listed_newest_first_by_pages(sagemaker: Any) -> None:
    for name in ("one", "two", "three"):
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[VARIANT])
    first = sagemaker.list_endpoint_configs(MaxResults=2)
    rest = sagemaker.list_endpoint_configs(MaxResults=2, NextToken=first["NextToken"])
    listed = first["EndpointConfigs"] + rest["EndpointConfigs"]
    assert [one["EndpointConfigName"] for one in listed] == ["three", "two", "one"]
    (named,) = sagemaker.list_endpoint_configs(NameContains="wo")["EndpointConfigs"]
    assert named["EndpointConfigArn"] == f"{ARN}/two"


def test_a_deleted_configuration_is_gone(sagemaker: Any) -> None:
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[VARIANT])
    sagemaker.delete_endpoint_config(EndpointConfigName="c")
    for call in (sagemaker.describe_endpoint_config, sagemaker.delete_endpoint_config):
        with pytest.raises(ClientError, match=f'Could not find endpoint configuration "{ARN}/c"'):
            call(EndpointConfigName="c")


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"ProductionVariants": [VARIANT | {"ModelName": "no"}]}, 'Could not find model ".*model/no"'),
        ({"ProductionVariants": [{"VariantName": "A", "ModelName": "m"}]}, "needs an InstanceType"),
        ({"ProductionVariants": [{"VariantName": "A"}]}, "inference components.* is not part of local AWS"),
        ({"ProductionVariants": [VARIANT, VARIANT | {"VariantName": "B"}]}, "several production variants"),
        (
            {"ProductionVariants": [VARIANT | {"ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1}}]},
            "ServerlessConfig is not part of local AWS",
        ),
        ({"ShadowProductionVariants": [VARIANT]}, "ShadowProductionVariants is not part of local AWS"),
        ({"AsyncInferenceConfig": {"OutputConfig": {}}}, "AsyncInferenceConfig is not part of local AWS"),
        ({"DataCaptureConfig": CAPTURE | {"DestinationS3Uri": "https://bucket/x"}}, "is not an S3 address"),
        ({"ProductionVariants": [VARIANT | {"InstanceType": "ml.huge"}]}, "enum value set"),
    ],
)
def test_what_is_refused(sagemaker: Any, request_: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        sagemaker.create_endpoint_config(**{"EndpointConfigName": "c", "ProductionVariants": [VARIANT], **request_})
    assert sagemaker.list_endpoint_configs()["EndpointConfigs"] == []


def test_an_existing_name_is_refused(sagemaker: Any) -> None:
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[VARIANT])
    with pytest.raises(ClientError, match=f'Cannot create already existing endpoint configuration "{ARN}/c"'):
        sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[VARIANT])
