"""A version that has passed before comes back: what is wrong with the account is not blamed on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any

from deploy import environment
from deploy.names import Target
from deploy.sweep import sweep
from tests.deployments import GROUP, World

STAGING = f"{GROUP}-staging"


@contextmanager
def hooked(world: World, operation: str, hook: Any) -> Iterator[None]:
    """Let a hook see or answer an operation."""
    events: Any = world.session.events
    events.register_first(f"before-call.{operation}", hook)  # before the answer of the server
    try:
        yield
    finally:
        events.unregister(f"before-call.{operation}", hook)


def decline(**_: Any) -> Any:
    fault = {"Code": "ResourceLimitExceeded", "Message": "no instances left"}
    return SimpleNamespace(status_code=400), {"Error": fault, "ResponseMetadata": {"HTTPStatusCode": 400}}


def second_serves_wrongly(world: World) -> int:
    """Return a second version in staging that answers wrongly, which nobody noticed yet."""
    world.bring_to_production()
    second = world.register()
    world.bad.add(second)
    world.step(second)
    world.end_changes()
    return second


def test_it_stays_passed_meanwhile(world: World) -> None:
    second = second_serves_wrongly(world)
    world.call(world.endpoint_event(STAGING))
    assert (world.status(second), world.status(1)) == ("Failed", "Passed")
    assert world.metadata(1)["StagingConfig"].startswith(f"{STAGING}-v1-")
    world.drive()
    assert "StagingConfig" not in world.metadata(1)


def test_it_stays_passed_when_the_service_declines(world: World) -> None:
    second_serves_wrongly(world)
    with hooked(world, "sagemaker.UpdateEndpoint", decline):
        answer = world.call(world.endpoint_event(STAGING))["staging"]
    assert (world.status(1), world.live("staging"), answer["Reason"]) == ("Passed", 2, "no instances left")
    world.reconcile()
    world.drive()
    assert (world.status(1), world.live("staging")) == ("Passed", 1)


def test_it_stays_passed_without_a_photo_to_send(world: World) -> None:
    second_serves_wrongly(world)
    world.call(world.endpoint_event(STAGING))
    client: Any = world.session.client("s3")
    client.delete_object(Bucket="artifacts", Key="smoke.json")
    world.drive()
    assert (world.status(1), world.live("staging")) == ("Passed", 1)
    assert "no smoke test" in world.metadata(1)["StagingReason"]
    third = world.register()
    world.step(third)
    world.drive()
    assert world.status(third) == "Failed"


def test_it_fails_when_it_does_not_answer_any_more(world: World) -> None:
    second_serves_wrongly(world)
    world.bad.add(1)
    world.drive()
    world.call(world.endpoint_event(STAGING))
    world.drive()
    assert (world.status(1), world.endpoint("staging")) == ("Failed", None)
    assert (world.live("production"), world.status(1, "production")) == (1, "Passed")


def test_an_endpoint_that_changes_under_the_test_gets_no_verdict(world: World) -> None:
    version = world.register()
    world.bad.add(version)
    world.step(version)
    world.end_changes()
    change = partial(world.endpoints.state, STAGING, "SystemUpdating")
    with hooked(world, "sagemaker-runtime.InvokeEndpoint", lambda **_: change()):
        answer = world.call(world.endpoint_event(STAGING))["staging"]
    assert (world.status(version), answer["EndpointStatus"]) == ("Deploying", "SystemUpdating")


def test_nothing_is_swept_once_somebody_began_an_update(world: World) -> None:
    world.bring_to_production()
    second = world.register()
    world.step(second)
    assert (world.endpoint("staging") or {})["EndpointStatus"] == "Updating"
    assert sweep(environment.load(), Target(GROUP, "staging"), list) == []
    world.drive()
    assert world.live("staging") == second
