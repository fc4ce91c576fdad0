"""`cleanup`: nothing goes on costing money."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.asking import YesOption, ask
from pipeline.cli.options import INTERRUPTED, OnlyProfileOption, Target, TargetOption
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.cleanup.models import Plan, Result
    from pipeline.local.leftovers import Leftover

_SECONDS = {Target.LOCAL: 0.2, Target.AWS: 5.0}  # between looks at an endpoint


def cleanup(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")] = False,
    yes: YesOption = False,
    profile: OnlyProfileOption = None,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Remove endpoints and all that belongs to them.

    Configs, models, alarms, scaling, schedules, local processes: only what is tagged project=bincount, and nothing that
    something else uses. The registry, executions and data stay.
    May be called again at any time. The exit code is 1 when something could not be removed.
    """
    from pipeline.aws.cleanup.inventory import read
    from pipeline.aws.cleanup.planner import plan
    from pipeline.cli.lookup import open_session

    session, group = open_session(target), _group(profile)
    planned = plan(read(session), group)
    lost = _leftovers(target, group)
    show(planned, lost)
    for line in running(session, target, group):
        typer.echo(line, err=True)
    if not planned.removals and not lost:
        typer.echo("nothing to remove; the registry, executions and data stay", err=True)
        return
    typer.echo("the registry, executions and data stay", err=True)
    if dry_run:
        return
    ask(f"Remove {'these' if len(planned.removals) + len(lost) > 1 else 'this'}?", yes)
    try:
        failed = sum([_told(result) for result in _removed(session, planned, target, group)])
    except KeyboardInterrupt:
        typer.echo("\nleft: `bincount cleanup` goes on where this ended", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if failed:
        raise UserError(f"{failed} could not be removed: `bincount cleanup` tries again")


def _group(profile: str | None) -> str | None:
    if profile is None:
        return None
    from pipeline.settings import load_settings

    return load_settings(profile).model_package_group


def show(planned: Plan, lost: list[Leftover]) -> None:
    """Print what would go, in order, and what stays though it looks like ours."""
    from pipeline.cli.tables import print_table

    rows = [("remove", str(one.key.kind), one.key.name, one.state) for one in planned.removals]
    rows += [("remove", "local", one.endpoint, str(one)) for one in lost]
    rows += [("keep", str(one.key.kind), one.key.name, one.reason) for one in planned.kept]
    print_table(("plan", "what", "name", "note"), rows, "")


def running(session: boto3.Session, target: Target, group: str | None) -> Iterator[str]:
    """Yield a line for each execution that runs: it may deploy again. Pipeline and group have the same name."""
    from pipeline.cli.lookup import pipeline_names, recent

    names = [name for name in pipeline_names(session, target, None) if group in {None, name}]
    for one in recent(session, names):
        if not one.done:
            yield f"execution {one.id} of {one.pipeline} is {one.status} and may deploy again: `bincount stop {one.id}`"


def _removed(session: boto3.Session, planned: Plan, target: Target, group: str | None) -> Iterator[tuple[str, str]]:
    """Remove and yield what became of each thing: its name, and why it is still there or nothing."""
    from pipeline.aws.cleanup.executor import execute

    tell = lambda line: typer.echo(line, err=True)  # noqa: E731
    if planned.removals:
        for result in execute(session, planned, group, seconds=_SECONDS[target], tell=tell):
            yield _text(result), result.error or ""
    if target is Target.LOCAL:
        yield from _removed_leftovers(group)


def _removed_leftovers(group: str | None) -> Iterator[tuple[str, str]]:
    from pipeline.local.home import Home
    from pipeline.local.leftovers import remove, wait_until_quiet

    wait_until_quiet(Home.find())
    for leftover in _leftovers(Target.LOCAL, group):
        try:
            remove(Home.find(), leftover)
        except OSError as error:
            yield str(leftover), str(error)
        else:
            yield str(leftover), ""


def _text(result: Result) -> str:
    return f"{result.key}{' (it was gone)' if result.gone else ''}"


def _told(result: tuple[str, str]) -> bool:
    """Print what became of a thing; say whether it is still there."""
    from pipeline.cli.rows import one_line

    what, error = result
    typer.echo(f"not removed: {what}: {one_line(error)}" if error else f"removed {what}", err=bool(error))
    return bool(error)


def _leftovers(target: Target, group: str | None) -> list[Leftover]:
    if target is not Target.LOCAL:
        return []
    from pipeline.aws.deployment import endpoint_name
    from pipeline.aws.models import PRODUCTION, STAGING
    from pipeline.local.home import Home
    from pipeline.local.leftovers import leftovers

    names = None if group is None else {endpoint_name(group, stage) for stage in (STAGING, PRODUCTION)}
    return [one for one in leftovers(Home.find()) if names is None or one.endpoint in names]
