"""Clean-up and roll-back of what the deploy function itself made, on moto."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest

from pipeline.aws import rollback
from pipeline.aws.cleanup.executor import execute
from pipeline.aws.cleanup.inventory import read
from pipeline.aws.cleanup.models import Kind
from pipeline.aws.cleanup.planner import plan
from pipeline.aws.endpoints import describe
from pipeline.aws.rollback import begin, prepare
from tests.deployments import GROUP, World, deployed

if TYPE_CHECKING:
    from tests.extended_moto import Endpoints


@pytest.fixture
def world(moto_session: boto3.Session, moto_endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give an account whose deployments take until the test ends them."""
    with deployed(moto_session, moto_endpoints, monkeypatch) as world:
        yield world


def test_everything_that_was_deployed_goes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.bring_to_production(InstanceCount="2", MaxInstanceCount="4")
    world.bring_to_production()
    world.bring_to_production(MaxInstanceCount="3")
    planned = plan(read(world.session))
    assert planned.kept == ()
    assert {one.key.kind for one in planned.removals} == set(Kind) - {Kind.SCHEDULE}
    monkeypatch.setattr("time.sleep", lambda _: world.end_changes())
    assert [one for one in execute(world.session, planned) if one.error or one.gone] == []
    assert (world.configs(), world.models(), world.endpoint("staging"), world.endpoint("production")) == (
        [],
        [],
        None,
        None,
    )
    assert read(world.session) == []
    # The events of the deletions, late: they bring nothing back.
    for stage in ("staging", "production"):
        world.call(world.endpoint_event(f"{GROUP}-{stage}", "DELETED"))
    assert read(world.session) == []


@pytest.mark.parametrize("stage", ["staging", "production"])
def test_a_roll_back_ends_with_the_earlier_version(stage: str, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rollback, "reconcile", lambda *_: world.reconcile())
    first, second = world.bring_to_production(), world.bring_to_production()
    endpoint = describe(world.session, f"{GROUP}-{stage}")
    assert endpoint is not None
    chosen = prepare(world.session, endpoint)
    assert (chosen.live.number, chosen.earlier.number) == (second, first)
    begin(world.session, chosen, "miscounts")
    if stage == "production":  # moto tells nobody of the rejection
        world.call(world.package_event(second, "Rejected"))
    updating = describe(world.session, endpoint.name)
    assert updating is not None
    assert (updating.status, updating.version) == ("Updating", second)
    world.drive()
    ended = describe(world.session, endpoint.name)
    assert ended is not None
    assert (ended.status, ended.version, ended.verdict.status) == ("InService", first, "Passed")
