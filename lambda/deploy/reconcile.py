"""Look, decide, do, look again: until an endpoint serves what it should, or somebody else has to do something first."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from deploy import blueprint as blueprints
from deploy import endpoints, options, plan, scaling, smoke, verdicts
from deploy.endpoints import CollisionError, DeclinedError
from deploy.errors import RefusedError
from deploy.log import log
from deploy.names import STAGING, Target
from deploy.packages import DEPLOYING, FAILED, PASSED, REQUESTED, Package, Versions
from deploy.plan import Action, Endpoint, Seen
from deploy.sweep import sweep

if TYPE_CHECKING:
    from deploy.environment import Environment

_ROUNDS = 20  # far more than any real way to the end takes


@dataclass
class Reconciler:
    """One call's work on one endpoint."""

    environment: Environment
    target: Target
    creates: Callable[[int], bool]
    """Whether the caller asked for an endpoint that serves a version, should there be none."""
    sleep: Callable[[float], None] = time.sleep
    done: list[str] = field(default_factory=list)
    """The kinds of the actions taken, in order."""

    def run(self) -> dict[str, Any]:
        """Bring the endpoint to where it should be, as far as that needs no waiting, and return a summary.

        Raises:
            ClientError, BotoCoreError: a passing trouble of the service; another call goes on from there.
            RuntimeError: the endpoint does not come to rest.
        """
        for _ in range(_ROUNDS):
            versions = Versions(self.environment, self.target.group)
            seen = self._look(versions)
            action = plan.decide(seen)
            if not action.ends:
                action = self._take(action, seen)
            self.done.append(action.kind)
            if action.ends:
                self._finish(action, versions)
                return self._summary(action, seen)
        raise RuntimeError(f"endpoint {self.target.endpoint} did not come to rest in {_ROUNDS} rounds")

    def wanted(self) -> list[str]:
        """Return the names of the model and the config that the desired version needs, as the registry is now."""
        package = self._desired(Versions(self.environment, self.target.group))
        try:
            drawn = blueprints.draw(self.environment, self.target, package) if package else None
        except RefusedError:
            drawn = None
        return [drawn.config_name, str(drawn.model["ModelName"])] if drawn else []

    def _look(self, versions: Versions) -> Seen:
        # The marks first: a mark is written after its change, so an endpoint read later than it shows the change. Read
        # the other way round, another caller's update between the two would look as if it had been rolled back.
        desired = self._desired(versions)
        endpoint = endpoints.describe(self.environment, self.target)
        number = self.target.version_of(endpoint.config) if endpoint else None
        return Seen(
            stage=self.target.stage,
            endpoint=endpoint,
            live=versions.get(number) if number is not None else None,
            desired=desired,
            config=self._config_name(desired),
            creates=desired is not None and self.creates(desired.version),
        )

    def _desired(self, versions: Versions) -> Package | None:
        return plan.desired(self.target.stage, versions.approved() if self.target.is_production else versions)

    def _config_name(self, package: Package | None) -> str | None:
        try:
            return blueprints.draw(self.environment, self.target, package).config_name if package else None
        except RefusedError:
            return None  # said when it is about to be deployed

    def _take(self, action: Action, seen: Seen) -> Action:
        """Do what was decided. Returns the action that came of it: another one where others or the service object."""
        package = action.package
        log("action", endpoint=self.target.endpoint, action=action.kind, version=package.version if package else None)
        try:
            if action.kind == "delete":
                endpoints.delete(self.environment, self.target)
            elif package is None:
                raise AssertionError(f"{action.kind} is about a version")
            elif action.kind == "test":
                self._test(package, seen.endpoint)
            elif action.kind == "judge":
                self._judge(package, action.status, action.reason)
            elif action.kind == "again":
                verdicts.mark_again(self.environment, package, self.target.stage, action.reason)
            else:
                self._deploy(package, seen.endpoint)
        except CollisionError as collision:
            return Action("wait", package, reason=f"somebody else is changing the endpoint: {collision}")
        except (DeclinedError, RefusedError) as refusal:
            return self._declined(action, seen, str(refusal))
        return action

    def _deploy(self, package: Package, endpoint: Endpoint | None) -> None:
        blueprint = blueprints.draw(self.environment, self.target, package)
        if endpoint is None:
            endpoints.create(self.environment, blueprint, self.sleep)
        else:
            endpoints.update(self.environment, blueprint, endpoint.config, self.sleep)
        # After the change: a call that dies in between tries again, rather than takes a change for done that never was.
        verdicts.mark_attempt(self.environment, package, self.target.stage, blueprint.config_name)

    def _declined(self, action: Action, seen: Seen, reason: str) -> Action:
        """Judge a version that cannot be deployed. One that has passed before is not blamed: the account changed."""
        if action.package is None or action.package.mark(self.target.stage).status == PASSED:
            log("declined", endpoint=self.target.endpoint, reason=reason)
            return Action("keep" if seen.endpoint else "none", action.package, reason=reason)
        self._judge(action.package, FAILED, reason)
        return action

    def _test(self, package: Package, endpoint: Endpoint | None) -> None:
        outcome = smoke.run(self.environment, self.target.endpoint, package, self.sleep)
        if endpoints.describe(self.environment, self.target) != endpoint:
            return  # it was another server that answered, or none: look again
        before = package.mark(self.target.stage).status
        passed = outcome.passed or (before == PASSED and not outcome.ran)
        self._judge(package, PASSED if passed else FAILED, outcome.reason)

    def _judge(self, package: Package, status: str, reason: str) -> None:
        verdicts.judge(self.environment, package, self.target.stage, status, reason)
        log("verdict", endpoint=self.target.endpoint, version=package.version, status=status, reason=reason)

    def _finish(self, action: Action, versions: Versions) -> None:
        if action.kind == "wait":
            return
        if action.kind == "settle" and action.package is not None:
            self._settle(action.package, versions)
        sweep(self.environment, self.target, self.wanted)

    def _settle(self, package: Package, versions: Versions) -> None:
        endpoints.tag(self.environment, self.target, package.version)
        if self.target.is_production:
            self._scale(package)
        elif package.mark(STAGING).status == PASSED:
            self._pass_over(package, versions)

    def _scale(self, package: Package) -> None:
        try:
            change = scaling.ensure(self.environment, self.target, options.of(package))
        except RefusedError as refusal:  # edited since it was deployed
            log("not-scaled", endpoint=self.target.endpoint, reason=str(refusal))
            return
        if change is not None:
            log("scaling", endpoint=self.target.endpoint, change=change)

    def _pass_over(self, package: Package, versions: Versions) -> None:
        """Tell those who wait for an older version that a newer one came first. Staging goes forward only."""
        older = (one for one in versions if one.version < package.version)
        for one in takewhile(lambda one: one.mark(STAGING).status in {None, REQUESTED, DEPLOYING}, older):
            if one.mark(STAGING).status is not None:
                self._judge(one, FAILED, f"version {package.version} is newer and was deployed instead")

    def _summary(self, action: Action, seen: Seen) -> dict[str, Any]:
        endpoint = endpoints.describe(self.environment, self.target) if len(self.done) > 1 else seen.endpoint
        summary = {
            "EndpointName": self.target.endpoint,
            "EndpointStatus": endpoint.status if endpoint else "",
            "Version": (self.target.version_of(endpoint.config) if endpoint else None) or 0,
            "DesiredVersion": seen.desired.version if seen.desired else 0,
            "Actions": " ".join(self.done),
            "Reason": action.reason,
        }
        log("reconciled", **summary)
        return summary
