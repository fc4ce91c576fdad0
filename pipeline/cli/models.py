"""`models`: the versions in the registry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer

from pipeline.cli.options import JsonOption, OnlyProfileOption, Target, TargetOption

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.models import Version

HEAD = ("version", "group", "status", "macro-F1", "age", "commit", "execution")


def models(*, profile: OnlyProfileOption = None, json: JsonOption = False, target: TargetOption = Target.LOCAL) -> None:
    """List the registered versions of the model, the newest first.

    * marks the champion of its group: the latest approved one.
    """
    from pipeline.cli.lookup import open_session

    found = all_versions(open_session(target), target, profile)
    if json:
        import json as json_
        from dataclasses import asdict

        shown = [{**asdict(one), "created": one.created.isoformat()} for one in found]
        typer.echo(json_.dumps(shown, indent=2))
        return
    from pipeline.cli.tables import print_table

    now = datetime.now(UTC)
    print_table(HEAD, (row(one, now) for one in found), "there is no version yet: `bincount run` registers one")


def all_versions(session: boto3.Session, target: Target, profile: str | None) -> list[Version]:
    """Return the versions of the profile's group, or of all groups, the newest first."""
    from pipeline.aws.inspection import groups
    from pipeline.aws.registry import versions
    from pipeline.cli.lookup import PROJECT_PREFIX

    if profile is not None:
        from pipeline.settings import load_settings

        names = [load_settings(profile).model_package_group]
    else:
        names = groups(session, PROJECT_PREFIX if target is Target.AWS else "")
    found = [version for name in names for version in versions(session, name)]
    return sorted(found, key=lambda version: version.created, reverse=True)


def row(version: Version, now: datetime) -> tuple[str, ...]:
    """Return the cells of a version."""
    score = ""
    if version.score:
        score = f"{version.score.macro_f1:.3f}"
        if version.score.interval:
            score += " [{:.3f}, {:.3f}]".format(*version.score.interval)
    return (
        f"{version.number}{' *' if version.champion else ''}",
        version.group,
        version.status,
        score,
        age(now - version.created),
        version.lineage.get("commit", "")[:10],
        version.lineage.get("execution", "").rpartition("/")[2],
    )


def age(passed: timedelta) -> str:
    """Return how long ago something was, in its largest unit."""
    seconds = max(0, int(passed.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
