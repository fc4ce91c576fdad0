"""Accounts with a deployment in them, made as the deploy function makes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from pipeline.local.home import Home
from pipeline.local.processes import stop_orphans
from tests.artifacts import artifact

ROLE = "arn:aws:iam::000000000000:role/bincount-model"
Deploy = Callable[..., str]


@pytest.fixture(params=["local", "moto"])
def account(request: pytest.FixtureRequest) -> Iterator[boto3.Session]:
    """Return a session of local AWS, where endpoints are real processes, and in a second run one of moto."""
    if request.param == "moto":
        yield request.getfixturevalue("moto_session")
        return
    home: Home = request.getfixturevalue("home")
    yield request.getfixturevalue("session")
    stop_orphans([], home.root / "endpoints", 0.0)


@pytest.fixture
def model_data(tmp_path: Path) -> bytes:
    return artifact(tmp_path / "model", archive=tmp_path / "model.tar.gz").read_bytes()


@pytest.fixture
def deploy(model_data: bytes) -> Deploy:
    """Return a function that makes an endpoint with all that belongs to it in a session, and returns its name."""

    def one(session: boto3.Session, *which: str, held: bool = False) -> str:
        s3: Any = session.client("s3")
        s3.create_bucket(Bucket="bincount-models")
        s3.put_object(Bucket="bincount-models", Key="model.tar.gz", Body=model_data)
        return deployed(session, *which, held=held)

    return one


def deployed(
    session: boto3.Session, group: str = "bincount-demo", stage: str = "staging", *, held: bool = False
) -> str:
    name = f"{group}-{stage}"
    part = f"{name}-v1-0123abcd"
    values = {"project": "bincount", "group": group, "stage": stage, "version": "1"}
    tags = [{"Key": key, "Value": value} for key, value in values.items()]
    sagemaker: Any = session.client("sagemaker")
    model(session, part, tags)
    config(session, part, part, tags)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=part, Tags=tags)
    cloudwatch: Any = session.client("cloudwatch")
    for metric in ("5xx", "latency"):
        cloudwatch.put_metric_alarm(
            AlarmName=f"{part}-{metric}",
            Namespace="AWS/SageMaker",
            MetricName="Invocation5XXErrors",
            Dimensions=[{"Name": "EndpointName", "Value": name}, {"Name": "VariantName", "Value": "AllTraffic"}],
            Statistic="Average",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0.01,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
            Tags=tags,
        )
    while sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Creating" and not held:
        time.sleep(0.05)
    scale(session, name)
    return name


def model(session: boto3.Session, name: str, tags: list[dict[str, str]]) -> None:
    container = {"Image": "bincount-inference:1", "ModelDataUrl": "s3://bincount-models/model.tar.gz"}
    client: Any = session.client("sagemaker")
    client.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container, Tags=tags)


def config(session: boto3.Session, name: str, model: str, tags: list[dict[str, str]]) -> None:
    variant = {"VariantName": "AllTraffic", "ModelName": model, "InstanceType": "ml.m5.large"}
    client: Any = session.client("sagemaker")
    client.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=[{**variant, "InitialInstanceCount": 1}], Tags=tags
    )


def scale(session: boto3.Session, endpoint: str) -> None:
    scaled = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    client: Any = session.client("application-autoscaling")
    client.register_scalable_target(**scaled, MinCapacity=1, MaxCapacity=2)
    metric = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
    client.put_scaling_policy(
        **scaled,
        PolicyName=f"{endpoint}-invocations",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={"TargetValue": 70.0, "PredefinedMetricSpecification": metric},
    )
