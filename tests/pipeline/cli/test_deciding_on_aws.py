"""The verbs that decide, with --target aws: moto answers, and the deploy function itself follows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from pipeline.aws import approval, deployment, functions, inspection
from pipeline.cli.options import Target
from pipeline.cli.waiting import wait_for_verdict
from tests.deployments import GROUP, World, deployed

if TYPE_CHECKING:
    from tests.extended_moto import Endpoints
    from tests.pipeline.cli.conftest import Called


@pytest.fixture
def world(
    home: Path, moto_session: boto3.Session, moto_endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """Give an account in which decisions reach the deploy function, and its endpoints come to rest while we wait."""
    with deployed(moto_session, moto_endpoints, monkeypatch) as world:
        monkeypatch.setattr(inspection, "connect", lambda: moto_session)
        monkeypatch.setattr(functions, "reconcile", lambda *_: world.reconcile())
        _deliver(world, monkeypatch)
        yield world


def _deliver(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send the events that moto does not send: of a decision at once, of an endpoint at the next look but one."""
    for verb, status in (("approve", "Approved"), ("reject", "Rejected")):
        decide = getattr(approval, verb)

        def decided(session: Any, version: Any, *given: Any, d: Any = decide, s: str = status, **named: Any) -> None:
            d(session, version, *given, **named)
            world.call(world.package_event(version.number, s))

        monkeypatch.setattr(approval, verb, decided)
    monkeypatch.setitem(wait_for_verdict.__globals__["_SECONDS"], Target.AWS, 0.0)
    read = deployment._read

    def looked(*given: Any) -> Any:
        found = read(*given)
        for name in world.end_changes():
            world.call(world.endpoint_event(name))
        return found

    monkeypatch.setattr(deployment, "_read", looked)


@pytest.fixture
def verb(call: Callable[..., Called]) -> Callable[..., Called]:
    """Return a function that runs a verb of `models`; the deploy function's log is on stdout before its own line."""
    return lambda *arguments: call("models", *arguments, "--target", "aws")


def staged(world: World) -> int:
    version = world.register()
    world.step(version)
    world.drive()
    return version


def test_what_is_approved_goes_into_production(world: World, verb: Callable[..., Called]) -> None:
    first, second = staged(world), staged(world)
    for version in (first, second):
        called = verb("approve", version, "--yes")
        assert called.code == 0, called
        assert world.live("production") == version
    progress = called.err.splitlines()
    assert f"production version {second} deploying, {GROUP}-production is Updating" in progress
    assert progress[-1] == f"production version {second} passed, {GROUP}-production is InService"
    assert world.metadata(second)["SmokeTest"] == "s3://artifacts/smoke.json"


def test_a_version_that_answers_wrongly_does_not_stay(world: World, verb: Callable[..., Called]) -> None:
    first, second = staged(world), staged(world)
    assert verb("approve", first, "--yes").code == 0
    world.bad.add(second)
    called = verb("approve", second, "--yes")
    assert called.code == 1
    assert called.lines[-1].startswith(f"production version {second}: failed: ")
    assert called.lines[-1].endswith(f"; version {first} stays in service")
    world.bad.clear()
    again = verb("approve", second, "--yes")  # approving again tries again
    assert again.code == 0, again
    assert world.live("production") == second


def test_a_container_that_does_not_start_is_rolled_back(world: World, verb: Callable[..., Called]) -> None:
    first, second = staged(world), staged(world)
    assert verb("approve", first, "--yes").code == 0
    world.dead.add(second)
    called = verb("approve", second, "--yes")
    assert called.code == 1
    assert "ping health check" in called.lines[-1]
    assert called.lines[-1].endswith(f"; version {first} stays in service")


def test_rejecting_what_is_in_production_waits_for_its_predecessor(world: World, verb: Callable[..., Called]) -> None:
    first, second = staged(world), staged(world)
    for version in (first, second):
        assert verb("approve", version, "--yes").code == 0
    tested = len(world.asked)
    called = verb("reject", second, "--yes")
    assert called.code == 0, called
    assert world.live("production") == first
    assert len(world.asked) > tested  # its Passed of before was not taken for the new one
    assert called.lines[-1] == f"production version {first}: {GROUP}-production is InService, smoke test passed"


def test_an_override_reaches_production(world: World, verb: Callable[..., Called]) -> None:
    version = world.register()
    refused = verb("approve", version, "--yes")
    assert (refused.code, world.live("production")) == (1, None)
    assert "staging has not passed (nobody deployed it there)" in refused.err
    called = verb("approve", version, "--yes", "--without-staging")
    assert called.code == 0, called
    assert world.live("production") == version
    assert json.loads(verb("show", version, "--json").out)["serving"] is True
    assert verb().lines[0].split("\t")[5] == "serves"


def test_staging_is_waited_for_as_a_run_does(world: World) -> None:
    first = staged(world)
    second = world.register()
    world.bad.add(second)
    world.step(second)
    ended = wait_for_verdict(world.session, Target.AWS, world.arn(second), "staging")
    assert ended.failed
    assert (ended.serving, world.live("staging")) == (first, first)
