from __future__ import annotations

import math
from typing import Any

import pytest

from pipeline.local.endpoints.traffic import Routing, routing, shared


def _policy(kind: str, size: tuple[str, int] | None = None, **more: Any) -> dict[str, Any]:
    traffic: dict[str, Any] = {"Type": kind, "WaitIntervalInSeconds": 60}
    if size is not None:
        member = "CanarySize" if kind == "CANARY" else "LinearStepSize"
        traffic[member] = {"Type": size[0], "Value": size[1]}
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": traffic, **more}}


@pytest.mark.parametrize(
    ("policy", "instances", "steps"),
    [
        (_policy("ALL_AT_ONCE"), 3, (3,)),
        (_policy("CANARY", ("INSTANCE_COUNT", 1)), 2, (1, 2)),
        (_policy("CANARY", ("CAPACITY_PERCENT", 10)), 4, (1, 4)),
        (_policy("CANARY", ("CAPACITY_PERCENT", 30)), 10, (3, 10)),
        (_policy("LINEAR", ("CAPACITY_PERCENT", 30)), 10, (3, 6, 9, 10)),
        (_policy("LINEAR", ("INSTANCE_COUNT", 2)), 4, (2, 4)),
    ],
)
def test_the_steps_of_a_policy(policy: dict[str, Any], instances: int, steps: tuple[int, ...]) -> None:
    assert routing(policy, instances).steps == steps
    assert routing(policy, instances).bake == 60


def test_without_a_policy_all_shifts_at_once() -> None:
    assert routing(None, 2) == routing({}, 2) == Routing((2,), 0, 0, math.inf, ())


def test_alarms_and_times_are_taken_over() -> None:
    policy = _policy("ALL_AT_ONCE", TerminationWaitInSeconds=10, MaximumExecutionTimeoutInSeconds=600)
    policy["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": "a"}, {"AlarmName": "b"}]}
    assert routing(policy, 1) == Routing((1,), 60, 10, 600, ("a", "b"))


def test_waits_must_fit_into_the_limit() -> None:
    policy = _policy(
        "CANARY", ("INSTANCE_COUNT", 1), TerminationWaitInSeconds=481, MaximumExecutionTimeoutInSeconds=600
    )
    with pytest.raises(ValueError, match="MaximumExecutionTimeoutInSeconds"):
        routing(policy, 2)


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_shares_are_of_all_traffic(share: float) -> None:
    servers = [{"config": "old", "port": port} for port in range(3)]
    servers += [{"config": "new", "port": port} for port in range(4)]
    weighted = shared(servers, "new", share)
    assert [(server["config"], server["port"]) for server in weighted] == [
        (server["config"], server["port"]) for server in servers
    ]
    assert sum(server["weight"] for server in weighted) == pytest.approx(1)
    assert sum(server["weight"] for server in weighted if server["config"] == "new") == pytest.approx(share)
    assert sum(server["weight"] > 0 for server in weighted if server["config"] == "new") == 4 * share
