"""What the sweep removes, and what it never touches."""

from __future__ import annotations

from typing import Any

from tests.deployments import GROUP, World

STAGING = f"{GROUP}-staging"


def make(world: World, name: str, **tags: str) -> None:
    """Make a model, a config and an alarm of a name."""
    about = [{"Key": key, "Value": value} for key, value in tags.items()]
    world.sagemaker.create_model(ModelName=name, ExecutionRoleArn="arn:aws:iam::1:role/r", Tags=about)
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    world.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant], Tags=about)
    alarms: Any = world.session.client("cloudwatch")
    alarms.put_metric_alarm(
        AlarmName=f"{name}-5xx",
        MetricName="m",
        Namespace="n",
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanThreshold",
    )


def alarms(world: World) -> set[str]:
    client: Any = world.session.client("cloudwatch")
    return {one["AlarmName"] for one in client.describe_alarms()["MetricAlarms"]}


def test_it_removes_what_is_left_over_and_nothing_else(world: World) -> None:
    world.bring_to_production()
    left_over = f"{STAGING}-v7-0123abcd"
    others = {
        f"{STAGING}-v7-0123abce": {},  # ours by name alone
        f"{STAGING}-by-hand": {"project": "bincount"},
        f"{GROUP}-staging-eu-v7-0123abcd": {"project": "bincount"},  # an endpoint of another group
        f"x-{STAGING}-v7-0123abcd": {"project": "bincount"},
    }
    for name, tags in {left_over: {"project": "bincount"}, **others}.items():
        make(world, name, **tags)
    before = (set(world.configs()), set(world.models()))
    world.call(world.endpoint_event(STAGING))
    assert (set(world.configs()), set(world.models())) == (before[0] - {left_over}, before[1] - {left_over})
    assert alarms(world) == {f"{name}-5xx" for name in others} - {f"{STAGING}-v7-0123abce-5xx"}


def test_it_keeps_what_the_endpoint_uses_though_nobody_wants_it(world: World) -> None:
    world.bring_to_production()
    before = (world.configs(), world.models())
    world.decide(1, "Rejected")
    assert (world.configs(), world.models()) == before


def test_it_keeps_what_somebody_is_about_to_use(world: World) -> None:
    """Between CreateEndpointConfig and UpdateEndpoint of one caller, another sweeps."""
    world.bring_to_production()
    second = world.register()
    swept: list[int] = []

    def sweep_meanwhile(**_: Any) -> None:
        if not swept:
            swept.append(1)
            world.sagemaker.update_model_package(
                ModelPackageArn=world.arn(second), CustomerMetadataProperties={"StagingStatus": "Requested"}
            )
            before = world.configs()
            from deploy.environment import load
            from deploy.names import Target
            from deploy.reconcile import Reconciler
            from deploy.sweep import sweep

            target = Target(GROUP, "staging")
            sweep(load(), target, Reconciler(load(), target, lambda _: False).wanted)
            assert world.configs() == before

    events: Any = world.session.events
    events.register("before-call.sagemaker.UpdateEndpoint", sweep_meanwhile)
    try:
        world.step(second)
    finally:
        events.unregister("before-call.sagemaker.UpdateEndpoint", sweep_meanwhile)
    assert swept
    world.drive()
    assert world.live("staging") == second


def test_it_waits_while_the_endpoint_changes(world: World) -> None:
    world.bring_to_production()
    make(world, f"{STAGING}-v7-0123abcd", project="bincount")
    world.endpoints.state(STAGING, "SystemUpdating")
    world.call(world.endpoint_event(STAGING))
    assert f"{STAGING}-v7-0123abcd" in world.configs()
