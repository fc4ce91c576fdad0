"""`status`, `watch`, `list`, `logs` and `stop`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import (
    INTERRUPTED,
    ExecutionArgument,
    ExecutionOption,
    JsonOption,
    OnlyProfileOption,
    PlainOption,
    SummaryOption,
    Target,
    TargetOption,
)

if TYPE_CHECKING:
    from pipeline.aws.models import Execution


def status(
    execution: ExecutionArgument = None,
    *,
    profile: OnlyProfileOption = None,
    json: JsonOption = False,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Show an execution as it is now.

    Its steps, trials and metrics, and what it made.
    """
    from pipeline.aws.executions import describe
    from pipeline.aws.inspection import definition
    from pipeline.cli.lookup import find_execution, open_session

    session = open_session(target)
    found = describe(session, find_execution(session, target, execution, profile))
    if json:
        from pipeline.cli.outcome import outcome

        made = outcome(session, found, definition(session, found.arn)).as_json() if found.done else None
        typer.echo(as_json(found, outcome=made))
        return
    from pipeline.cli.concluding import draw, finish, show_links

    draw(session, found)
    if found.done:
        finish(session, target, found)
    elif target is Target.AWS:
        show_links(found)


def watch(
    execution: ExecutionArgument = None,
    *,
    profile: OnlyProfileOption = None,
    plain: PlainOption = False,
    summary: SummaryOption = None,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Watch an execution until it ends.

    Ctrl-C leaves it running. The exit code is that of `bincount run`.
    """
    from pipeline.cli.concluding import conclude
    from pipeline.cli.following import LeftError, follow
    from pipeline.cli.lookup import find_execution, flag, open_session

    session = open_session(target)
    arn = find_execution(session, target, execution, profile)
    try:
        ended = follow(session, target, arn, plain=plain, stops=False)
    except LeftError:
        typer.echo(f"it runs on: `bincount watch {arn.rpartition('/')[2]}{flag(arn)}` looks again", err=True)
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(conclude(session, target, ended, summary))


def list_(
    *,
    profile: OnlyProfileOption = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=1000, help="At most this many, the newest.")] = 20,
    json: JsonOption = False,
    target: TargetOption = Target.LOCAL,
) -> None:
    """List executions, the newest first."""
    from pipeline.cli.lookup import open_session, pipeline_names, recent

    session = open_session(target)
    found = recent(session, pipeline_names(session, target, profile), limit)
    if json:
        import json as json_

        typer.echo(json_.dumps([_summary(one) for one in found], indent=2))
        return
    from pipeline.cli.tables import print_table

    rows = [
        (one.id, one.pipeline, one.status, f"{one.started.astimezone():%Y-%m-%d %H:%M}", one.name, one.reason or "")
        for one in found
    ]
    head = ("execution", "pipeline", "status", "started", "name", "reason")
    print_table(head, rows, "there is no execution yet", spare=("name",))


def logs(
    step: Annotated[str, typer.Argument(help="Name of the step; Tune/2 is its second trial.")],
    *,
    execution: ExecutionOption = None,
    profile: OnlyProfileOption = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines until the step ends.")] = False,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Print what a step's job printed.

    Where several hosts did, the host stands in front.
    """
    from pipeline.cli.joblogs import step_lines
    from pipeline.cli.lookup import find_execution, open_session

    session = open_session(target)
    lines = 0
    for line in step_lines(session, find_execution(session, target, execution, profile), step, follow=follow):
        typer.echo(line)
        lines += 1
    if not lines:
        typer.echo(f"{step} has printed nothing{'' if follow else ' yet'}", err=True)


def stop(
    execution: ExecutionArgument = None, *, profile: OnlyProfileOption = None, target: TargetOption = Target.LOCAL
) -> None:
    """Stop an execution.

    Its jobs get SIGTERM and two minutes to write a checkpoint.
    """
    from pipeline.aws import executions
    from pipeline.cli.following import SECONDS, outage_of
    from pipeline.cli.lookup import find_execution, flag, open_session

    session = open_session(target)
    arn = find_execution(session, target, execution, profile, running=True)
    executions.stop(session, arn)
    short = arn.rpartition("/")[2]
    typer.echo(f"{short} is stopping", err=True)
    for found in executions.watch(session, arn, SECONDS[target], outage=outage_of(session, target, arn, _say)):
        if found.done:
            typer.echo(f"{short} {found.status}: `bincount resume {short}{flag(arn)}` continues it")


def _say(text: str) -> None:
    typer.echo(text or "AWS answers again", err=True)


def as_json(execution: Execution, **more: object) -> str:
    """Return an execution and what is told besides as JSON, times in ISO 8601."""
    import json
    from dataclasses import asdict

    told = {"id": execution.id, "pipeline": execution.pipeline, **asdict(execution), **more}
    return json.dumps(told, indent=2, default=lambda value: value.isoformat())


def _summary(one: Execution) -> dict[str, object]:
    return {
        "id": one.id,
        "arn": one.arn,
        "pipeline": one.pipeline,
        "name": one.name,
        "status": one.status,
        "started": one.started.isoformat(),
        "reason": one.reason,
    }
