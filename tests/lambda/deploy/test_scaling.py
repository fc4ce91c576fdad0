from __future__ import annotations

from typing import Any

from tests.deployments import GROUP, World

PRODUCTION = f"{GROUP}-production"


def target(world: World) -> dict[str, Any] | None:
    client: Any = world.session.client("application-autoscaling")
    found = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return dict(found[0]) if found else None


def policies(world: World) -> list[dict[str, Any]]:
    client: Any = world.session.client("application-autoscaling")
    return list(client.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"])


def test_production_scales_between_its_counts(world: World) -> None:
    version = world.register(InstanceCount="2", MaxInstanceCount="5", InvocationsPerInstance="90")
    world.step(version)
    world.drive()
    assert target(world) is None
    world.decide(version, "Approved")
    assert target(world) is None  # not before it serves
    world.drive()
    found = target(world) or {}
    assert found["ResourceId"] == f"endpoint/{PRODUCTION}/variant/AllTraffic"
    assert (found["MinCapacity"], found["MaxCapacity"]) == (2, 5)
    (policy,) = policies(world)
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 90
    assert "RetainAllVariantProperties" not in world.endpoints.requests[-1]


def test_an_update_keeps_the_instances_that_scaling_has(world: World) -> None:
    world.bring_to_production(MaxInstanceCount="3")
    world.bring_to_production(MaxInstanceCount="4", InvocationsPerInstance="60")
    assert world.endpoints.requests[-1]["RetainAllVariantProperties"] is True
    assert (target(world) or {})["MaxCapacity"] == 4
    assert [one["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] for one in policies(world)] == [60]


def test_another_instance_type_stops_scaling_first(world: World) -> None:
    world.bring_to_production(MaxInstanceCount="3")
    version = world.register(MaxInstanceCount="3", InstanceType="ml.c6i.large")
    world.step(version)
    world.drive()
    world.decide(version, "Approved")
    assert target(world) is None
    assert world.endpoints.requests[-1]["RetainAllVariantProperties"] is False
    world.drive()
    assert (target(world) or {})["MaxCapacity"] == 3


def test_a_version_of_a_fixed_count_does_not_scale(world: World) -> None:
    world.bring_to_production(MaxInstanceCount="3")
    world.bring_to_production()
    assert target(world) is None


def test_options_edited_into_nonsense_leave_scaling_as_it_is(world: World) -> None:
    version = world.bring_to_production(MaxInstanceCount="3")
    metadata = {"MaxInstanceCount": "many"}
    world.sagemaker.update_model_package(ModelPackageArn=world.arn(version), CustomerMetadataProperties=metadata)
    assert world.reconcile()["production"]["Actions"] == "settle"
    assert (target(world) or {})["MaxCapacity"] == 3
