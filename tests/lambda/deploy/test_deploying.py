"""From the pipeline's step to production, with the requests that AWS would get."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.deployments import World


def test_first(world: World) -> None:
    version = world.register()
    print(world.step(version))
    world.drive()
    assert world.status(version) == "Passed"
    world.decide(version, "Approved")
    world.drive()
    assert world.status(version, "production") == "Passed"
