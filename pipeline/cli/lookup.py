"""From what the user typed to what is meant: the account, the execution, the step, the model."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from pipeline.cli.options import Target
from pipeline.errors import UserError, did_you_mean

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.models import Execution, Step, Version
    from pipeline.settings import Settings

PROJECT_PREFIX = "bincount-"  # in an account of AWS the names of others are not ours to list
_LISTED = 100


def open_session(target: Target, containers: Mapping[str, Any] | None = None) -> boto3.Session:
    """Return the session whose answers come from the target; executions that it starts here may run in containers."""
    if target is Target.AWS:
        from pipeline.aws.inspection import connect

        return connect()
    from pipeline.local.aws import session
    from pipeline.local.home import Home

    return session(Home.find(), containers=containers)


def settings_on(session: boto3.Session, target: Target, profile: str, given: Mapping[str, str]) -> Settings:
    """Return the profile's settings for the target: on AWS with what its installation says below what is given.

    Raises UserError: no such profile or setting, or nothing is installed there.
    """
    from pipeline.settings import load_settings

    if target is Target.LOCAL:
        return load_settings(profile, given)
    from pipeline.aws.stack import installation, overrides

    return load_settings(profile, {**overrides(installation(session)), **given})


def target_of(arn: str) -> Target:
    """Return where something is."""
    from pipeline.local.aws.account import ACCOUNT

    return Target.LOCAL if f":{ACCOUNT}:" in arn else Target.AWS


def flag(arn: str) -> str:
    """Return what a command about this has to end with, so that it means the same account."""
    target = target_of(arn)
    return "" if target is Target.LOCAL else f" --target {target}"


def pipeline_names(session: boto3.Session, target: Target, profile: str | None) -> list[str]:
    """Return the pipelines to look at: the profile's, or all."""
    from pipeline.aws.inspection import pipelines

    if profile is not None:
        from pipeline.settings import load_settings

        return [load_settings(profile).pipeline_name]
    return pipelines(session, PROJECT_PREFIX if target is Target.AWS else "")


def recent(session: boto3.Session, names: Collection[str], limit: int = _LISTED) -> list[Execution]:
    """Return the latest executions of several pipelines, the newest first, without their steps."""
    from pipeline.aws.executions import executions

    found = [one for name in names for one in executions(session, name, limit)]
    return sorted(found, key=lambda one: one.started, reverse=True)[:limit]


def find_execution(
    session: boto3.Session, target: Target, wanted: str | None, profile: str | None = None, *, running: bool = False
) -> str:
    """Return the ARN of the execution that an id, a display name, an ARN or nothing means.

    Nothing means the latest; with `running` the latest that runs. With a `profile`, only those of its pipeline count.

    Raises:
        UserError: there is none, with near matches where there are some.
    """
    if wanted is not None and wanted.startswith("arn:"):
        return wanted
    limit = 1 if wanted is None and not running else 1000
    listed = recent(session, pipeline_names(session, target, profile), limit)
    for one in listed:
        if wanted in {one.id, one.name} or (wanted is None and not (running and one.done)):
            return one.arn
    if wanted is None and running:
        raise UserError("no execution is running: `bincount list` shows those that were")
    if wanted is None:
        raise UserError("there is no execution yet: `bincount run` starts one")
    known = [name for one in listed for name in (one.id, one.name) if name]
    raise UserError(f"there is no execution {wanted!r}{did_you_mean(wanted, known)}: `bincount list` shows them")


def group_names(session: boto3.Session, target: Target, profile: str | None) -> list[str]:
    """Return the model package groups to look at: the profile's, or all."""
    from pipeline.aws.inspection import groups

    if profile is not None:
        from pipeline.settings import load_settings

        return [load_settings(profile).model_package_group]
    return groups(session, PROJECT_PREFIX if target is Target.AWS else "")


def find_version(session: boto3.Session, target: Target, profile: str | None, number: int) -> Version:
    """Return the version of this number, in the profile's group or in the only one that has it. Raises UserError."""
    from pipeline.aws.registry import holders, version

    groups = group_names(session, target, profile)
    held = holders(session, groups, number) if profile is None and len(groups) != 1 else groups
    if not groups:
        raise UserError("there is no version yet: `bincount run` registers one")
    if not held:
        raise UserError(f"there is no version {number}: `bincount models` lists them")
    if len(held) > 1:
        advice = " or ".join(f"--profile {group.removeprefix(PROJECT_PREFIX)}" for group in held)
        raise UserError(f"version {number} is in several groups: give {advice}")
    return version(session, held[0], number)


def find_step(execution: Execution, wanted: str) -> Step:
    """Return the step of this name, upper or lower case. Raises UserError with near matches."""
    step = execution.step(wanted)
    if step is None:
        names = [step.name for step in execution.steps]
        raise UserError(f"there is no step {wanted!r}{did_you_mean(wanted, names)}: there are {', '.join(names)}")
    return step
