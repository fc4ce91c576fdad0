"""A transition of an endpoint: a new fleet started, traffic shifted and watched, the old fleet ended; or all undone."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from pipeline.local.aws.account import Account
from pipeline.local.endpoints.events import announce
from pipeline.local.endpoints.places import fleet_folder
from pipeline.local.endpoints.plan import DeploymentError, Plan
from pipeline.local.endpoints.servers import lives, log_of, remove_model, start_servers, stop_servers
from pipeline.local.endpoints.traffic import Routing, routing, shared
from pipeline.local.failures import explain
from pipeline.local.processes import started
from pipeline.local.runner import Runner

WATCH_SECONDS = 1.0  # between two looks at the alarms
DRAIN_SECONDS = 0.5  # between a fleet's last request being sent and its end: who has just picked a server asks it yet
_ATTEMPTS = 3  # managers that may be killed over one transition

Endpoint = dict[str, Any]


class Deployment:
    """Creating or Updating, from the endpoint's record to its end.

    The record's `_pending` is the Plan, and beside it: `deployment` (the DeploymentConfig or None), `since` (seconds
    since 1970), `attempts`, `shifted` (the new fleet has all traffic: only the old one is left to end) and `undoing`
    (why it is rolled back).
    """

    def __init__(self, account: Account, runner: Runner, endpoint: Endpoint) -> None:
        self._account, self._runner = account, runner
        self._name: str = endpoint["EndpointName"]
        self._pending: dict[str, Any] = endpoint["_pending"]
        self._plan = Plan.of(self._pending)
        self._endpoint = endpoint

    def run(self) -> Endpoint:
        """Carry the transition to its end and return the endpoint as it is then: InService or Failed."""
        self._claim()
        if self._pending["shifted"]:
            return self._finish()
        if reason := self._pending["undoing"]:
            return self._undo(reason)
        if self._pending["attempts"] > _ATTEMPTS:
            return self._undo(f"the endpoint's manager was killed {_ATTEMPTS} times")
        if self._pending["attempts"] == 1:
            announce(self._account, self._endpoint)
        try:
            self._deploy()
        except Exception as error:
            return self._undo(reason_of(error))
        return self._finish()

    def _claim(self) -> None:
        self._pending["attempts"] += 1
        pid = os.getpid()
        self._update(_manager=pid, _manager_started=started(pid), _pending=self._pending)

    def _deploy(self) -> None:
        self._clear()  # of what a killed manager left
        route = routing(self._pending["deployment"], self._plan.instances)
        self._watch(route, [])
        fleet = start_servers(
            self._account.home, self._runner, self._name, self._plan, range(1, self._plan.instances + 1)
        )
        old = self._endpoint["_servers"]
        for step in route.steps:
            share = step / self._plan.instances if old else 1.0
            self._update(_servers=shared([*old, *fleet], self._plan.config, share))
            if old:
                for _ in _moments(route.bake):
                    self._watch(route, fleet)
        self._pending["shifted"] = True
        self._update(_servers=fleet, _retiring=old, _pending=self._pending)

    def _watch(self, route: Routing, fleet: list[dict[str, Any]]) -> None:
        from pipeline.local.aws.alarms import alarm_state

        if ringing := [name for name in route.alarms if alarm_state(self._account, name) == "ALARM"]:
            raise DeploymentError(f"Alarms in ALARM state: {', '.join(ringing)}")
        if dead := [server for server in fleet if not lives(server)]:
            where = f"(log: {log_of(dead[0])})"
            raise DeploymentError(f"A server of {self._plan.config} ended while the deployment was watched {where}")
        if time.time() > self._pending["since"] + route.limit:
            raise DeploymentError("The deployment took longer than its MaximumExecutionTimeoutInSeconds")

    def _finish(self) -> Endpoint:
        """End the old fleet and put the new one on record."""
        if self._endpoint["_retiring"]:
            time.sleep(routing(self._pending["deployment"], self._plan.instances).termination)
            for config in {server["config"] for server in self._endpoint["_retiring"]}:
                self._end(config, self._endpoint["_retiring"])
        capacity = {"CurrentInstanceCount": self._plan.instances, "DesiredInstanceCount": self._plan.instances}
        weights = {"CurrentWeight": self._plan.weight, "DesiredWeight": self._plan.weight}
        image = {"SpecifiedImage": self._plan.image, "ResolvedImage": self._plan.image, "ResolutionTime": time.time()}
        variant = {"VariantName": self._plan.variant, "DeployedImages": [image], **weights, **capacity}
        return self._settle(
            EndpointStatus="InService",
            EndpointConfigName=self._plan.config,
            ProductionVariants=[variant],
            DataCaptureConfig=_captured(self._plan),
            FailureReason=None,
            _live=self._plan.document(),
        )

    def _undo(self, reason: str) -> Endpoint:
        """Take the new fleet away: what served before serves on, or nothing does."""
        self._pending["undoing"] = reason
        old = [server for server in self._endpoint["_servers"] if server["config"] != self._plan.config]
        if self._endpoint["_live"] is None:
            self._clear()
            return self._settle(EndpointStatus="Failed", FailureReason=reason, _servers=[])
        old = shared(old, self._plan.config, 0.0)
        self._update(EndpointStatus="RollingBack", FailureReason=reason, _servers=old, _pending=self._pending)
        announce(self._account, self._endpoint)
        self._clear()
        return self._settle(EndpointStatus="InService", FailureReason=reason)

    def _clear(self) -> None:
        """Stop and remove what there is of the new fleet; no request is sent to it from here on."""
        new = [server for server in self._endpoint["_servers"] if server["config"] == self._plan.config]
        if new:
            old = [server for server in self._endpoint["_servers"] if server["config"] != self._plan.config]
            self._update(_servers=shared(old, self._plan.config, 0.0))
        self._end(self._plan.config, new)

    def _end(self, config: str, servers: list[dict[str, Any]]) -> None:
        if servers:
            time.sleep(DRAIN_SECONDS)
        folder = fleet_folder(self._account.home, self._name, config)
        stop_servers(self._account.home, servers, folder)
        remove_model(folder)

    def _settle(self, **changes: Any) -> Endpoint:  # noqa: ANN401
        settled: dict[str, Any] = {"PendingDeploymentSummary": None, "_pending": None, "_retiring": []}
        return self._update(**settled, **changes, _manager=None, _manager_started=None)

    def _update(self, **changes: Any) -> Endpoint:  # noqa: ANN401
        self._endpoint = self._account.store.update("endpoint", self._name, **changes, LastModifiedTime=time.time())
        return self._endpoint


def reason_of(error: Exception) -> str:
    """Return why servers could not be started, as the endpoint's FailureReason says it."""
    if isinstance(error, DeploymentError):
        return str(error)
    if isinstance(error, OSError):  # no disk, no processes left
        return f"This machine cannot start the servers: {error}"
    return str(explain(error))


def _moments(seconds: float) -> Iterator[None]:
    """Give the moments at which to look during a wait: at its begin, in between, at its end."""
    deadline = time.monotonic() + seconds
    while True:
        yield
        left = deadline - time.monotonic()
        if left <= 0:
            return
        time.sleep(min(left, WATCH_SECONDS))


def _captured(plan: Plan) -> dict[str, Any] | None:
    if not plan.capture:
        return None
    enabled = plan.capture.get("EnableCapture", False)
    return {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": plan.capture["InitialSamplingPercentage"],
        "DestinationS3Uri": plan.capture["DestinationS3Uri"],
        "KmsKeyId": plan.capture.get("KmsKeyId", ""),
    }
