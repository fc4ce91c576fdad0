from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pipeline.local.store import Store

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
RESOURCE = "endpoint/counts/variant/AllTraffic"
OF = {"ServiceNamespace": "sagemaker", "ResourceId": RESOURCE, "ScalableDimension": DIMENSION}
TRACKING = {
    "TargetValue": 60.0,
    "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
}


@pytest.fixture
def scaling(session: boto3.Session, store: Store) -> Any:
    variants = [{"VariantName": "AllTraffic"}]
    store.create("endpoint", "counts", {"EndpointName": "counts", "ProductionVariants": variants})
    return session.client("application-autoscaling")


def targets(scaling: Any, **request: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = scaling.describe_scalable_targets(ServiceNamespace="sagemaker", **request)[
        "ScalableTargets"
    ]
    return found


def policies(scaling: Any, **request: Any) -> list[str]:
    found = scaling.describe_scaling_policies(ServiceNamespace="sagemaker", **request)["ScalingPolicies"]
    return [policy["PolicyName"] for policy in found]


def test_a_target_is_kept_changed_and_forgotten_with_its_policies(scaling: Any) -> None:
    made = scaling.register_scalable_target(**OF, MinCapacity=1, MaxCapacity=3, Tags={"project": "bincount"})
    scaling.register_scalable_target(**OF, MaxCapacity=4)
    (found,) = targets(scaling)
    assert (found["MinCapacity"], found["MaxCapacity"], found["ResourceId"]) == (1, 4, RESOURCE)
    assert found["ScalableTargetARN"] == made["ScalableTargetARN"]
    scaling.put_scaling_policy(**OF, PolicyName="p", TargetTrackingScalingPolicyConfiguration=TRACKING)
    scaling.deregister_scalable_target(**OF)
    assert (targets(scaling), policies(scaling)) == ([], [])


def test_policies_are_kept_replaced_and_removed(scaling: Any) -> None:
    scaling.register_scalable_target(**OF, MinCapacity=1, MaxCapacity=3)
    policy = {**OF, "PolicyName": "p", "PolicyType": "TargetTrackingScaling"}
    first = scaling.put_scaling_policy(**policy, TargetTrackingScalingPolicyConfiguration=TRACKING)
    second = scaling.put_scaling_policy(
        **policy, TargetTrackingScalingPolicyConfiguration={**TRACKING, "TargetValue": 9.0}
    )
    assert first["PolicyARN"] == second["PolicyARN"]
    (found,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert found["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 9.0
    assert policies(scaling, PolicyNames=["other"]) == []
    assert policies(scaling, ResourceId=RESOURCE) == ["p"]
    scaling.delete_scaling_policy(**OF, PolicyName="p")
    assert policies(scaling) == []


def test_targets_are_found_by_resource_and_in_pages(scaling: Any, store: Store) -> None:
    names = ["a", "b", "c"]
    for name in names:
        document = {"EndpointName": name, "ProductionVariants": [{"VariantName": "v"}]}
        store.create("endpoint", name, document)
        resource = {**OF, "ResourceId": f"endpoint/{name}/variant/v"}
        scaling.register_scalable_target(**resource, MinCapacity=0, MaxCapacity=1)
    assert [one["ResourceId"] for one in targets(scaling, ResourceIds=["endpoint/b/variant/v"])] == [
        "endpoint/b/variant/v"
    ]
    pages = scaling.get_paginator("describe_scalable_targets").paginate(
        ServiceNamespace="sagemaker", PaginationConfig={"PageSize": 2}
    )
    assert [len(page["ScalableTargets"]) for page in pages] == [2, 1]
    assert scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ResourceId": "endpoint/none/variant/AllTraffic"}, "ValidationException"),
        ({"ResourceId": "endpoint/counts/variant/none"}, "ValidationException"),
        ({"ResourceId": "counts"}, "ValidationException"),
        ({"ScalableDimension": "ecs:service:DesiredCount"}, "ValidationException"),
        ({"MinCapacity": 3}, "ValidationException"),
        ({"MinCapacity": -1}, "ValidationException"),
        ({"MinCapacity": None}, "ValidationException"),
        ({"ServiceNamespace": "ecs"}, "NotImplemented"),
    ],
)
def test_what_is_no_target_is_refused(scaling: Any, changes: dict[str, Any], code: str) -> None:
    asked = {**OF, "MinCapacity": 1, "MaxCapacity": 2, **changes}
    with pytest.raises(ClientError) as caught:
        scaling.register_scalable_target(**{name: value for name, value in asked.items() if value is not None})
    assert caught.value.response["Error"]["Code"] == code
    assert targets(scaling) == []


def test_what_is_not_there_is_not_found(scaling: Any) -> None:
    tracking = {"PolicyName": "p", "TargetTrackingScalingPolicyConfiguration": TRACKING}
    missing = scaling.exceptions.ObjectNotFoundException
    with pytest.raises(missing):
        scaling.deregister_scalable_target(**OF)
    with pytest.raises(missing):
        scaling.put_scaling_policy(**OF, **tracking)
    with pytest.raises(missing):
        scaling.delete_scaling_policy(**OF, PolicyName="p")


def test_only_target_tracking_is_kept(scaling: Any) -> None:
    scaling.register_scalable_target(**OF, MinCapacity=1, MaxCapacity=3)
    with pytest.raises(ClientError, match="PolicyType StepScaling"):
        scaling.put_scaling_policy(**OF, PolicyName="p", PolicyType="StepScaling")
    with pytest.raises(ClientError, match="must be given"):
        scaling.put_scaling_policy(**OF, PolicyName="p")
