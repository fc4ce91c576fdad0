"""CloudWatch: alarms on what endpoints answered, evaluated from the invocations that are recorded here."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.local.aws.account import Account
from pipeline.local.aws.alarm_evaluation import datapoints, state_of
from pipeline.local.home import Home

KIND = "alarm"
_MOST_BYTES = 1 << 20  # of a file of invocations, about 40,000 of them; there is one older file at most


def record_invocation(home: Home, endpoint: str, variant: str, config: str, status: int, microseconds: float) -> None:
    """Record how an invocation of an endpoint ended.

    Args:
        home: the local account.
        endpoint: the endpoint's name.
        variant: the variant that answered.
        config: the endpoint config that its server belongs to.
        status: the HTTP status of the model's answer.
        microseconds: how long the model took.
    """
    path = _folder(home, endpoint) / config / variant
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="ascii") as file:
        file.write(f"{time.time():.3f} {status} {microseconds:.0f}\n")  # one write: lines of two processes do not mix
    if path.stat().st_size > _MOST_BYTES:
        _roll(path)


def _folder(home: Home, endpoint: str) -> Path:
    return home.root / "metrics" / endpoint


def _roll(path: Path) -> None:
    with path.with_name(f"{path.name}.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.stat().st_size > _MOST_BYTES:  # else another process did it meanwhile
            path.replace(path.with_name(f"{path.name}.older"))


def _samples(home: Home, alarm: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
    folder = _folder(home, dimensions["EndpointName"])
    config, variant = dimensions.get("EndpointConfigName", "*"), dimensions["VariantName"]
    for name in (f"{variant}.older", variant):
        for path in folder.glob(f"{config}/{name}"):
            for line in path.read_text(encoding="ascii").splitlines():
                moment, status, microseconds = line.split()
                yield float(moment), _value(alarm["MetricName"], int(status), float(microseconds))


def _value(metric: str, status: int, microseconds: float) -> float:
    if metric == "ModelLatency":
        return microseconds
    first = {"Invocation4XXErrors": 4, "Invocation5XXErrors": 5}.get(metric)
    return float(first is None or status // 100 == first)


def alarm_state(account: Account, name: str) -> str:
    """Return an alarm's state now: OK, ALARM or INSUFFICIENT_DATA, the last also for an alarm that does not exist."""
    alarm = account.store.get(KIND, name)
    return "INSUFFICIENT_DATA" if alarm is None else str(evaluated(account, alarm)["StateValue"])


def evaluated(account: Account, alarm: dict[str, Any]) -> dict[str, Any]:
    """Return an alarm in the state that it has now, and keep that state. What SetAlarmState put stays for a period."""
    now = account.now()
    if now < alarm.get("_set_until", 0.0):
        return alarm
    points = datapoints(_samples(account.home, alarm), alarm, now)
    state = state_of(points, alarm, alarm["StateValue"])
    if state == alarm["StateValue"]:
        return alarm
    return account.store.update(KIND, alarm["AlarmName"], **_in_state(state, "Threshold Crossed", now))


def _in_state(state: str, reason: str, now: float) -> dict[str, Any]:
    return {
        "StateValue": state,
        "StateReason": reason,
        "StateUpdatedTimestamp": now,
        "StateTransitionedTimestamp": now,
    }
