"""How traffic moves from the old fleet to the new one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Routing:
    """The steps of a blue/green deployment.

    `steps`: how many of the new fleet's instances take traffic after each step, the last one all of them. `bake`:
    seconds that each step is watched. `termination`: seconds after which the old fleet ends. `limit`: seconds that the
    whole may take. `alarms`: names, any of which rolls it back.
    """

    steps: tuple[int, ...]
    bake: float = 0.0
    termination: float = 0.0
    limit: float = math.inf
    alarms: tuple[str, ...] = ()


def routing(deployment: Mapping[str, Any] | None, instances: int) -> Routing:
    """Return what a DeploymentConfig means for a fleet. Raises ValueError with what the service would refuse."""
    deployment = deployment or {}
    policy = deployment.get("BlueGreenUpdatePolicy") or {}
    traffic = policy.get("TrafficRoutingConfiguration") or {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    alarms = (deployment.get("AutoRollbackConfiguration") or {}).get("Alarms") or []
    bake, termination = traffic["WaitIntervalInSeconds"], policy.get("TerminationWaitInSeconds", 0)
    steps = _steps(traffic, instances)
    limit = policy.get("MaximumExecutionTimeoutInSeconds", math.inf)
    if limit < bake * len(steps) + termination:
        raise ValueError("MaximumExecutionTimeoutInSeconds must not be less than all wait times together")
    return Routing(steps, bake, termination, limit, tuple(alarm["AlarmName"] for alarm in alarms))


def _steps(traffic: Mapping[str, Any], instances: int) -> tuple[int, ...]:
    kind = traffic["Type"]
    if kind == "ALL_AT_ONCE":
        return (instances,)
    member = "CanarySize" if kind == "CANARY" else "LinearStepSize"
    if member not in traffic:
        raise ValueError(f"{member} is required when the traffic routing type is {kind}")
    size = _size(traffic[member], instances)
    if size * 2 > instances:
        raise ValueError(f"{member} must be at most half of the variant's capacity, which is {instances} instance(s)")
    return (size, instances) if kind == "CANARY" else (*range(size, instances, size), instances)


def _size(capacity: Mapping[str, Any], instances: int) -> int:
    value: int = capacity["Value"]
    return value if capacity["Type"] == "INSTANCE_COUNT" else max(1, math.ceil(instances * value / 100))


def shared(servers: Iterable[Mapping[str, Any]], config: str, share: float) -> list[dict[str, Any]]:
    """Return the servers' records with weights: `share` of the traffic to a configuration's, the rest to the others'.

    Of the configuration's servers only as many take traffic as instances make up that share.
    """
    listed = list(servers)
    new = [server for server in listed if server["config"] == config]
    old = [server for server in listed if server["config"] != config]
    active = round(share * len(new))
    weights = {id(server): 1 / len(new) if index < active else 0.0 for index, server in enumerate(new)}
    weights |= {id(server): (1 - share) / len(old) for server in old}
    return [{**server, "weight": weights[id(server)]} for server in listed]
