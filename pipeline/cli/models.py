"""`models`: the versions in the registry, and the group of the verbs about one of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import typer

from pipeline.cli import approving, comparing, versions
from pipeline.cli.options import JsonOption, OnlyProfileOption, Target, TargetOption, examples
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.models import Version

Row = tuple[str, ...]
HEAD: Row = ("version", "group", "status", "macro-F1", "staging", "production", "age", "commit", "data", "execution")
SPARE: Row = ("data", "commit", "execution", "age")  # `models show` has them
app = typer.Typer(
    rich_markup_mode=None,
    invoke_without_command=True,
    epilog=examples("bincount models", "bincount models --profile demo --json", "bincount models show 3"),
)


@app.callback()
def models(
    context: typer.Context,
    *,
    profile: OnlyProfileOption = None,
    json: JsonOption = False,
    target: TargetOption = Target.LOCAL,
) -> None:
    """List the versions; show, compare, approve or reject one.

    The newest first. * marks the champion of its group: the latest approved one. Under `production`, `serves` is what
    answers there now. A narrow terminal shows fewer columns; `--json` and a pipe give all.
    """
    if context.invoked_subcommand is not None:
        if profile is not None or json or target is not Target.LOCAL:
            raise UserError(f"give options behind the verb: `bincount models {context.invoked_subcommand} ...`")
        return
    from pipeline.cli.lookup import open_session

    session = open_session(target)
    found = all_versions(session, target, profile)
    live = serving_versions(session, found)
    if json:
        import json as json_

        shown = [versions.as_json(one, serving=live[one.group] == one.number) for one in found]
        typer.echo(json_.dumps(shown, indent=2))
        return
    from pipeline.cli.tables import print_table

    now = datetime.now(UTC)
    rows = [row(one, now, serving=live[one.group] == one.number) for one in found]
    head, rows = narrow(rows) if sys.stdout.isatty() else (HEAD, rows)
    print_table(head, rows, "there is no version yet: `bincount run` registers one", spare=SPARE)


app.command(epilog=examples("bincount models show 3", "bincount models show 3 --json"))(versions.show)
app.command(epilog=examples("bincount models compare 3 2"))(comparing.compare)
app.command(
    epilog=examples(
        "bincount models approve 3",
        'bincount models approve 3 --note "better on full bins" --yes',
        "bincount models approve 3 --yes --without-staging --no-wait",
    )
)(approving.approve)
app.command(epilog=examples("bincount models reject 3", 'bincount models reject 3 --note "miscounts towels" --yes'))(
    approving.reject
)


def all_versions(session: boto3.Session, target: Target, profile: str | None) -> list[Version]:
    """Return the versions of the profile's group, or of all groups, the newest first."""
    from pipeline.aws import registry
    from pipeline.cli.lookup import group_names

    found = [one for name in group_names(session, target, profile) for one in registry.versions(session, name)]
    return sorted(found, key=lambda version: version.created, reverse=True)


def serving_versions(session: boto3.Session, found: list[Version]) -> Mapping[str, int | None]:
    """Return the version that production serves, of each group with a version."""
    from pipeline.aws.deployment import serving
    from pipeline.aws.models import PRODUCTION

    return {group: serving(session, group, PRODUCTION) for group in {one.group for one in found}}


def row(version: Version, now: datetime, *, serving: bool) -> Row:
    """Return the cells of a version."""
    from pipeline.aws.models import PRODUCTION, STAGING

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
        version.verdict(STAGING).status,
        "serves" if serving else version.verdict(PRODUCTION).status,
        age(now - version.created),
        version.lineage.get("commit", "")[:10],
        version.data_hash[:10],
        version.lineage.get("execution", "").rpartition("/")[2],
    )


def narrow(rows: Sequence[Row]) -> tuple[Row, list[Row]]:
    """Return head and rows for a terminal: no group where there is one only, shorter words."""
    shown = [index for index, name in enumerate(HEAD) if name != "group" or len({row[index] for row in rows}) > 1]
    short = {"PendingManualApproval": "Pending"}
    hashes = {HEAD.index("commit"), HEAD.index("data")}

    def cell(index: int, text: str) -> str:
        return text[:7] if index in hashes else short.get(text, text)

    return tuple(HEAD[index] for index in shown), [tuple(cell(index, row[index]) for index in shown) for row in rows]


def age(passed: timedelta) -> str:
    """Return how long ago something was, in its largest unit."""
    seconds = max(0, int(passed.total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
