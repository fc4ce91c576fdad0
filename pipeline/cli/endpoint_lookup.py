"""From what the user typed to the endpoint or the group that is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.cli.lookup import PROJECT_PREFIX, group_names
from pipeline.cli.options import Target
from pipeline.errors import UserError, did_you_mean

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.endpoints import Endpoint

_LIST = "`bincount endpoints` lists them"


def endpoints_of(session: boto3.Session, target: Target, profile: str | None) -> list[Endpoint]:
    """Return the endpoints of the profile's group, or all. Raises UserError."""
    from pipeline.aws.endpoints import endpoints

    found = endpoints(session, PROJECT_PREFIX if target is Target.AWS else "")
    if profile is None:
        return found
    group = group_names(session, target, profile)[0]
    return [one for one in found if one.group == group]


def find_endpoint(session: boto3.Session, target: Target, wanted: str) -> Endpoint:
    """Return the endpoint of this name, or of this stage where one group has it. Raises UserError with near ones."""
    found = endpoints_of(session, target, None)
    named = [one for one in found if one.name == wanted] or [one for one in found if one.stage == wanted]
    if not named:
        known = [*(one.name for one in found), *(one.stage for one in found)]
        there = f"there is no endpoint {wanted!r}{did_you_mean(wanted, known)}"
        raise UserError(f"{there}: {_LIST if found else 'there is none at all yet'}")
    if len(named) > 1:
        raise UserError(
            f"{wanted} is an endpoint of several groups: give one of {', '.join(one.name for one in named)}"
        )
    return named[0]


def find_groups(session: boto3.Session, target: Target, profile: str | None, wanted: str | None) -> list[str]:
    """Return the groups that a profile, an endpoint's name or a group's mean; all unless one is given.

    The endpoint need not be there: bringing it back may be the purpose. Raises UserError.
    """
    from pipeline.aws.models import PRODUCTION, STAGING

    meant = group_names(session, target, profile)
    groups = meant if profile is None else [one for one in group_names(session, target, None) if one in meant]
    if wanted is None:
        return groups
    names = {name: group for group in groups for name in (group, f"{group}-{STAGING}", f"{group}-{PRODUCTION}")}
    if wanted in {STAGING, PRODUCTION}:
        return [find_endpoint(session, target, wanted).group]
    if wanted not in names:
        raise UserError(f"there is no endpoint {wanted!r} and no group{did_you_mean(wanted, names)}: {_LIST}")
    return [names[wanted]]
