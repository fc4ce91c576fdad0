"""What to do next about an endpoint, from what is there alone. Pure: no call, no clock, no event.

The function looks, does the one thing that `decide` says, and looks again until there is nothing to do. So it does not
matter which event called it, how often, or where an earlier call died.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from deploy.names import PRODUCTION, STAGING
from deploy.packages import AGAIN, DEPLOYING, FAILED, PASSED, REQUESTED, ROLLED_BACK, Package

BUSY = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
_IN_SERVICE, _BROKEN = "InService", "Failed"
_STAGED = frozenset({REQUESTED, DEPLOYING, PASSED})
_TURNED_DOWN = frozenset({FAILED, ROLLED_BACK})

Kind = Literal["wait", "none", "keep", "settle", "test", "judge", "again", "create", "update", "delete"]


@dataclass(frozen=True)
class Endpoint:
    """An endpoint, as DescribeEndpoint has it."""

    status: str
    config: str
    reason: str = ""


@dataclass(frozen=True)
class Seen:
    """All that a decision rests on."""

    stage: str
    endpoint: Endpoint | None
    live: Package | None
    """The version that the endpoint's config serves; None: no endpoint, or nothing of ours."""
    desired: Package | None
    config: str | None
    """The config that the desired version would have."""
    creates: bool
    """Whether the caller asked for an endpoint, rather than told of one."""


@dataclass(frozen=True)
class Action:
    """The next thing to do. Wait, none, keep and settle end the work; after any other one looks again."""

    kind: Kind
    package: Package | None = None
    """The version that it is about."""
    status: str = ""
    """Of a judgement: what the version's metadata shall say."""
    reason: str = ""

    @property
    def ends(self) -> bool:
        """Whether nothing is left to do for now."""
        return self.kind in {"wait", "none", "keep", "settle"}


def desired(stage: str, versions: Iterable[Package]) -> Package | None:
    """Return the version that a stage should serve.

    Args:
        stage: staging or production.
        versions: the group's, newest first; read no further than needed.
    """
    if stage == STAGING:
        return next((one for one in versions if one.mark(STAGING).status in _STAGED), None)
    return next((one for one in versions if _may_enter_production(one)), None)


def _may_enter_production(package: Package) -> bool:
    status = package.mark(PRODUCTION).status
    if not package.approved or status in _TURNED_DOWN:
        return False
    # What production has accepted once stays accepted, whatever staging says when it serves the version again.
    return package.mark(STAGING).status == PASSED or package.overridden or status == PASSED


def decide(seen: Seen) -> Action:
    """Return the next thing to do."""
    endpoint, live = seen.endpoint, seen.live
    if endpoint is None:
        return _without_endpoint(seen)
    if endpoint.status in BUSY:
        return Action("wait", reason=f"the endpoint is {endpoint.status}")
    if endpoint.status == _IN_SERVICE:
        return Action("test", live) if live is not None and _is_open(seen.stage, live) else _in_service(seen, endpoint)
    if endpoint.status == _BROKEN and _comes_back(seen):
        return Action("delete", live, reason=endpoint.reason or "the endpoint is Failed")
    if live is not None and _is_open(seen.stage, live):
        return Action("judge", live, FAILED, endpoint.reason or f"the endpoint is {endpoint.status}")
    if _was_attempted(seen) and not _is_live(seen):
        return Action("judge", seen.desired, FAILED, endpoint.reason or f"the endpoint is {endpoint.status}")
    return _failed(seen, endpoint) if endpoint.status == _BROKEN else _impaired(seen, endpoint)


def _is_wanted(stage: str, package: Package) -> bool:
    """Whether somebody asked for a version that no deployment was made of yet."""
    status = package.mark(stage).status
    return status == REQUESTED or (status is None and stage != STAGING)


def _comes_back(seen: Seen) -> bool:
    """Whether the desired version's endpoint is about to be deleted, or was, to be made again."""
    return seen.desired is not None and seen.desired.mark(seen.stage).attempt == AGAIN


def _is_open(stage: str, package: Package) -> bool:
    """Whether a version that is served has no verdict yet: never had one, or is being brought back."""
    mark = package.mark(stage)
    if mark.status == PASSED:
        return mark.attempt is not None
    return mark.status in {REQUESTED, DEPLOYING} or (mark.status is None and stage != STAGING)


def _was_attempted(seen: Seen) -> bool:
    """Whether the desired version's very config was deployed before, and did not last."""
    if seen.desired is None:
        return False
    mark = seen.desired.mark(seen.stage)
    return mark.status in {DEPLOYING, PASSED} and mark.attempt is not None and mark.attempt == seen.config


def _is_live(seen: Seen) -> bool:
    return seen.live is not None and seen.desired is not None and seen.live.version == seen.desired.version


def _without_endpoint(seen: Seen) -> Action:
    if seen.desired is None:
        return Action("none", reason="no version may be deployed")
    if seen.creates or _comes_back(seen) or _is_wanted(seen.stage, seen.desired):
        return Action("create", seen.desired)
    return Action("none", seen.desired, reason="there is no endpoint, and an event does not bring one back")


def _in_service(seen: Seen, endpoint: Endpoint) -> Action:
    live, wanted = seen.live, seen.desired
    if wanted is None:
        if seen.stage == STAGING and live is not None and live.mark(STAGING).status == FAILED:
            return Action("delete", live, reason="it failed, and no version was there before")
        return Action("keep", live, reason="the endpoint is kept as it is: no other version may take its place")
    if _is_live(seen):
        return Action("settle", wanted)
    if _was_attempted(seen):
        reason = endpoint.reason or f"the service rolled the update back to {endpoint.config}"
        return Action("judge", wanted, FAILED, reason)
    return Action("update", wanted)


def _failed(seen: Seen, endpoint: Endpoint) -> Action:
    """Only deleting is left for a Failed endpoint. If it had served, its version is noted first, to be made again."""
    had_served = seen.live is not None and seen.live.mark(seen.stage).status == PASSED
    if had_served and seen.desired is not None and not _is_wanted(seen.stage, seen.desired):
        return Action("again", seen.desired, reason=f"the endpoint failed and is made again: {endpoint.reason}")
    return Action("delete", seen.live, reason=endpoint.reason or "the endpoint is Failed")


def _impaired(seen: Seen, endpoint: Endpoint) -> Action:
    """Act on OutOfService and UpdateRollbackFailed (instances of two configs serve): another version can replace it."""
    if seen.desired is not None and not _is_live(seen):
        return Action("update", seen.desired)
    reason = f"the endpoint is {endpoint.status}: {endpoint.reason or 'no reason given'}; delete it, then reconcile"
    return Action("keep", seen.live, reason=reason)
