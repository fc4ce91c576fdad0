"""What goes and what stays: a pure function of what there is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pipeline.aws.cleanup.models import Kept, Key, Kind, Plan, Removal, Resource
from pipeline.aws.models import PRODUCTION, STAGING

PROJECT, PREFIX = "bincount", "bincount-"
STACK = "aws:cloudformation:stack-name"
ALARMS = ("5xx", "latency")
"""How the names of a config's alarms end."""

_STAGES = f"(?:{STAGING}|{PRODUCTION})"
_FOLLOWERS = {Kind.POLICY, Kind.TARGET}
# Alarms of other things, as of the functions, may have our name and tag too.
_ALARM = re.compile(rf"{PREFIX}.+-{_STAGES}-v\d+-[0-9a-f]{{8}}-(?:{'|'.join(ALARMS)})")


def plan(resources: Iterable[Resource], group: str | None = None) -> Plan:
    """Decide what to remove.

    Ours is what begins with `bincount-` and is tagged `project=bincount`; scalable targets and their policies have no
    tags to go by and belong to their endpoint. Of ours, all goes that nothing uses that stays.

    Args:
        resources: what there is. Others' are needed for what they use.
        group: a model package group, to which this is limited; None: all of the project.
    """
    there = {resource.key: resource for resource in resources}
    verdicts = {key: _verdict(resource, there, group) for key, resource in there.items()}
    reasons = {key: reason for key, reason in verdicts.items() if reason}
    ours = {key for key, reason in verdicts.items() if reason is None}
    going = _unused(ours, there, reasons)
    return Plan(
        tuple(_removal(there[key], there) for key in _in_order(going)),
        tuple(Kept(key, reasons[key]) for key in _in_order(reasons)),
    )


def _verdict(resource: Resource, there: Mapping[Key, Resource], group: str | None) -> str | None:
    """Return None for what is ours to remove, why it stays where it looks like ours, and "" for others'."""
    key, tags = resource.key, resource.tags
    if key.kind in _FOLLOWERS:
        return _follow(resource, there, group)
    if not key.name.startswith(PREFIX) or (key.kind is Kind.ALARM and not _ALARM.fullmatch(key.name)):
        return ""
    if group is not None and tags.get("group", group) != group:
        return ""
    if tags.get("project") != PROJECT:
        # Untagged ones have no group either: the name is all there is to tell by.
        return "" if group is not None and not key.name.startswith(f"{group}-") else f"has no tag project={PROJECT}"
    if STACK in tags:
        return f"belongs to the CloudFormation stack {tags[STACK]}, which removes it"
    return "" if group is not None and "group" not in tags else None


def _follow(resource: Resource, there: Mapping[Key, Resource], group: str | None) -> str | None:
    owner = next(key for key in resource.uses if key.kind is Kind.ENDPOINT)
    if owner in there:
        return None if _verdict(there[owner], there, group) is None else ""
    # Its endpoint is gone without it. Nothing is left to scale.
    prefix = rf"{PREFIX}.+" if group is None else re.escape(group)
    return None if re.fullmatch(rf"{prefix}-{_STAGES}", owner.name) else ""


def _unused(ours: set[Key], there: Mapping[Key, Resource], reasons: dict[Key, str]) -> set[Key]:
    """Leave out what something uses that stays, and what that uses in turn; write down why."""
    going = set(ours)
    while True:
        used = {(key, user.key) for user in there.values() if user.key not in going for key in user.uses & going}
        if not used:
            return going
        for key, user in sorted(used, key=str):
            reasons.setdefault(key, f"{user} uses it")
            going.discard(key)


def _removal(resource: Resource, there: Mapping[Key, Resource]) -> Removal:
    users = frozenset(other.key for other in there.values() if resource.key in other.uses)
    return Removal(resource.key, users, resource.state)


def _in_order(keys: Iterable[Key]) -> list[Key]:
    return sorted(keys, key=lambda key: (key.kind.place, key.name))
