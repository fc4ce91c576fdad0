"""Accounts with a deployment in them, made as the deploy function makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3
import pytest

ROLE = "arn:aws:iam::000000000000:role/bincount-model"
Deploy = Callable[..., str]


@pytest.fixture
def deploy() -> Deploy:
    """Return a function that makes an endpoint with all that belongs to it in a session, and returns its name."""
    return deployed


def deployed(session: boto3.Session, group: str = "bincount-demo", stage: str = "staging", version: int = 1) -> str:
    name = f"{group}-{stage}"
    part = f"{name}-v{version}-0123abcd"
    values = {"project": "bincount", "group": group, "stage": stage, "version": str(version)}
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
            Dimensions=[{"Name": "EndpointName", "Value": name}],
            Statistic="Average",
            Period=60,
            EvaluationPeriods=1,
            Threshold=0.01,
            ComparisonOperator="GreaterThanThreshold",
            TreatMissingData="notBreaching",
            Tags=tags,
        )
    scale(session, name)
    return name


def model(session: boto3.Session, name: str, tags: list[dict[str, str]]) -> None:
    s3: Any = session.client("s3")
    s3.create_bucket(Bucket="bincount-models")
    s3.put_object(Bucket="bincount-models", Key="model.tar.gz", Body=b"weights")
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
