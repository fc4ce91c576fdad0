from __future__ import annotations

from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator

from deploy.blueprint import Blueprint, alarms, draw, guardrails, update
from deploy.environment import Environment
from deploy.errors import RefusedError
from deploy.names import Target
from deploy.packages import Package

ENVIRONMENT = Environment("bincount", "arn:aws:iam::123456789012:role/model", "s3://bucket/capture")
CONTAINER = {"Image": "image", "ModelDataUrl": "s3://bucket/model.tar.gz", "ModelDataETag": "x"}


def drawn(stage: str = "production", container: dict[str, str] = CONTAINER, **metadata: str) -> Blueprint:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:model-package/bincount-demo/3"
    package = Package("bincount-demo", 3, arn, metadata=metadata, container=container)
    return draw(ENVIRONMENT, Target("bincount-demo", stage), package)


def validate(service: str, operation: str, request: dict[str, Any]) -> None:
    model = botocore.session.get_session().get_service_model(service)
    shape: Any = model.operation_model(operation).input_shape
    report = ParamValidator().validate(request, shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("stage", ["staging", "production"])
@pytest.mark.parametrize("metadata", [{}, {"InstanceCount": "3", "CapturePercent": "5", "BakeSeconds": "3600"}])
def test_the_service_knows_every_member(stage: str, metadata: dict[str, Any]) -> None:
    blueprint = drawn(stage, **metadata)
    validate("sagemaker", "CreateModel", blueprint.model)
    validate("sagemaker", "CreateEndpointConfig", blueprint.config)
    validate("sagemaker", "UpdateEndpoint", update(blueprint, scaled=True))
    for alarm in alarms(blueprint, "bincount"):
        validate("cloudwatch", "PutMetricAlarm", alarm)


def test_the_same_content_has_the_same_names() -> None:
    assert drawn().config_name == drawn().config_name
    assert drawn().model["ModelName"] == drawn(BakeSeconds="10").model["ModelName"]
    assert drawn().config_name != drawn(InstanceCount="2").config_name
    staging = drawn("staging")
    assert staging.model["ModelName"] != drawn("staging", {**CONTAINER, "Image": "other"}).model["ModelName"]


def test_staging_is_one_instance_without_capture_or_guardrails() -> None:
    blueprint = drawn("staging", InstanceCount="4", CapturePercent="50", StagingInstanceType="ml.t2.medium")
    variant = blueprint.config["ProductionVariants"][0]
    assert (variant["InitialInstanceCount"], variant["InstanceType"]) == (1, "ml.t2.medium")
    assert "DataCaptureConfig" not in blueprint.config
    assert "DeploymentConfig" not in update(blueprint, scaled=False)


@pytest.mark.parametrize("container", [{}, {"Image": "image"}, {"ModelDataUrl": "s3://bucket/model.tar.gz"}])
def test_a_version_that_names_no_model_is_refused(container: dict[str, str]) -> None:
    with pytest.raises(RefusedError, match="names no Image and ModelDataUrl"):
        drawn("staging", container)


@pytest.mark.parametrize(("instances", "kind"), [("1", "ALL_AT_ONCE"), ("2", "CANARY"), ("5", "CANARY")])
@pytest.mark.parametrize("bake", [0, 60, 3600])
def test_the_guardrails_keep_the_services_rules(instances: str, kind: str, bake: int) -> None:
    policy = guardrails(drawn(InstanceCount=instances, BakeSeconds=str(bake)))["BlueGreenUpdatePolicy"]
    routing = policy["TrafficRoutingConfiguration"]
    assert (routing["Type"], routing["WaitIntervalInSeconds"]) == (kind, bake)
    if kind == "CANARY":
        assert routing["CanarySize"]["Value"] / int(instances) <= 0.5
    else:
        assert "CanarySize" not in routing
    assert (
        max(599, 2 * bake + policy["TerminationWaitInSeconds"]) < policy["MaximumExecutionTimeoutInSeconds"] <= 28_800
    )
