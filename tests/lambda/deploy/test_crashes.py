"""The function dies before each change that it makes; what follows makes it good.

To die before a change is to die after the one before it, and at any reading in between.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.deployments import World


class Crash(BaseException):
    """Nothing in the function catches it: as when the process is gone."""


class Crashes:
    """Ends the function before one of its changes to the account, counted from 0."""

    def __init__(self, at: int) -> None:
        self.at, self.changes = at, 0

    def __call__(self, model: Any, **_: Any) -> None:
        if model.name.startswith(("Describe", "List", "Get", "Invoke")):
            return
        self.changes += 1
        if self.changes == self.at + 1:
            raise Crash(model.name)


def new_version(world: World) -> Callable[[], object]:
    version = world.register(InstanceCount="1", MaxInstanceCount="2")

    def step() -> object:
        return world.step(version)

    return step


def verdict(world: World) -> Callable[[], object]:
    version = world.register(InstanceCount="1", MaxInstanceCount="2")
    world.step(version)
    world.sagemaker.update_model_package(ModelPackageArn=world.arn(version), ModelApprovalStatus="Approved")
    world.end_changes()
    return lambda: world.call(world.endpoint_event("bincount-demo-staging"))


def second_in_production(world: World) -> Callable[[], object]:
    world.bring_to_production()
    version = world.register(MaxInstanceCount="2")
    world.step(version)
    world.drive()
    world.sagemaker.update_model_package(ModelPackageArn=world.arn(version), ModelApprovalStatus="Approved")
    return lambda: world.call(world.package_event(version))


def production_settles(world: World) -> Callable[[], object]:
    second_in_production(world)()
    world.end_changes()
    return lambda: world.call(world.endpoint_event("bincount-demo-production"))


def staging_fails(world: World) -> Callable[[], object]:
    world.bring_to_production()
    version = world.register()
    world.bad.add(version)
    world.step(version)
    world.end_changes()
    return lambda: world.call(world.endpoint_event("bincount-demo-staging"))


def first_cannot_start(world: World) -> Callable[[], object]:
    version = world.register()
    world.dead.add(version)
    world.step(version)
    world.end_changes()
    return lambda: world.call(world.endpoint_event("bincount-demo-staging", "FAILED"))


SCENES = (new_version, verdict, second_in_production, production_settles, staging_fails, first_cannot_start)


def summary(world: World) -> dict[str, Any]:
    """Return all that there is in the account, without times."""
    packages = world.sagemaker.list_model_packages(ModelPackageGroupName="bincount-demo")["ModelPackageSummaryList"]
    metadata = {
        one["ModelPackageVersion"]: {
            name: value for name, value in world.metadata(one["ModelPackageVersion"]).items() if "Time" not in name
        }
        for one in packages
    }
    alarms: Any = world.session.client("cloudwatch")
    scaling: Any = world.session.client("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return {
        "configs": world.configs(),
        "models": world.models(),
        "endpoints": {
            s: (world.live(s), (world.endpoint(s) or {}).get("EndpointStatus")) for s in ("staging", "production")
        },
        "metadata": metadata,
        "alarms": sorted(one["AlarmName"] for one in alarms.describe_alarms()["MetricAlarms"]),
        "scaling": [(one["ResourceId"], one["MinCapacity"], one["MaxCapacity"]) for one in targets],
    }


def come_to_rest(world: World) -> None:
    for _ in range(6):
        world.reconcile()
        if not world.end_changes():
            return
    pytest.fail("the endpoints do not come to rest")


def play(world: World, act: Callable[[], object], crashes: Crashes) -> dict[str, Any]:
    """Let the function be called and die, then come to rest, and return what there is then."""
    events: Any = world.session.events
    events.register("before-call", crashes)
    try:
        act()
    except Crash:
        died = True
    else:
        died = False
    finally:
        events.unregister("before-call", crashes)
    if died and act.__name__ == "step":
        act()  # nobody may have learnt that the version was asked for; a failed step is run again
    come_to_rest(world)
    return summary(world)


@pytest.mark.parametrize("scene", SCENES)
def test_a_call_that_dies_anywhere_is_made_good(world: World, scene: Any) -> None:
    act = scene(world)
    saved = world.endpoints.save()
    whole = Crashes(10_000)
    expected = play(world, act, whole)
    assert whole.changes >= 2
    for at in range(whole.changes):
        world.endpoints.restore(saved)
        assert play(world, act, Crashes(at)) == expected, f"died before change {at}"
