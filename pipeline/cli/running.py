"""`run` and `resume`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.asking import YesOption
from pipeline.cli.options import (
    INTERRUPTED,
    DefinitionOption,
    ExecutionArgument,
    NameOption,
    OnlyProfileOption,
    ParameterOption,
    PlainOption,
    ProfileOption,
    SetOption,
    SummaryOption,
    Target,
    TargetOption,
    pairs,
)

if TYPE_CHECKING:
    from pathlib import Path

    import boto3


def run(
    *,
    profile: ProfileOption = "local",
    parameter: ParameterOption = [],  # noqa: B006 - typer copies it
    set_: SetOption = [],  # noqa: B006
    name: NameOption = None,
    definition: DefinitionOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    yes: YesOption = False,
    plain: PlainOption = False,
    summary: SummaryOption = None,
    target: TargetOption = Target.LOCAL,
    containers: Annotated[
        bool,
        typer.Option(
            "--containers", help="Run jobs and endpoints in their images, by Docker or Podman, on this machine."
        ),
    ] = False,
) -> None:
    """Run the pipeline and watch it.

    On AWS, what is to be done is shown first: images and photos that are missing there are sent, the functions and the
    pipeline brought up to date, and the execution started. One that could cost more than `cost.ask_above_usd` is asked
    about. Whoever else runs the pipeline at the same time: each execution has the definition of its own command. A job
    of GitHub Actions or CodeBuild starts one execution, however often it repeats the command; run again, it starts
    another, which takes finished steps from the cache.

    With `--containers`, jobs and endpoints run in the images that `bincount images build` has made, with the service's
    contract: /opt/ml is real, jobs in network isolation have no network. BINCOUNT_ENGINE names the engine's program,
    BINCOUNT_ENGINE_ARGS more arguments for its `run`. What processes did is not reused, and models are served as they
    were trained.

    The exit code is 0 when it succeeded and staging serves the new version, 1 when it failed, the model is below the
    gate or staging turned the version down. Ctrl-C stops the execution as the service would; `bincount resume`
    continues it.
    """
    from pipeline.cli.containers import chosen, require_images
    from pipeline.cli.launching import asked_for, launch
    from pipeline.cli.lookup import open_session, settings_on
    from pipeline.cli.spending import confirm

    given, overrides = pairs(parameter, "-p"), pairs(set_, "--set")
    engine = chosen(target) if containers else None
    session = open_session(target, engine.document() if engine else None)
    settings = settings_on(session, target, profile, overrides)
    wanted = asked_for(session, target, settings, definition, given, name, dry_run=dry_run)
    if engine is not None:
        require_images(engine, wanted.definition)
    spends = target is Target.AWS and definition is None  # of others' definitions no setting tells the cost
    agreed = partial(confirm, settings, wanted.parameters, dry_run=dry_run, yes=yes) if spends else None
    arn = launch(session, target, wanted, agreed, dry_run=dry_run)
    if arn is not None:
        _watch(session, target, arn, plain=plain, summary=summary)


def resume(
    execution: ExecutionArgument = None,
    *,
    profile: OnlyProfileOption = None,
    plain: PlainOption = False,
    summary: SummaryOption = None,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Continue an execution that failed or was stopped.

    What succeeded is kept.
    """
    from pipeline.aws.executions import retry
    from pipeline.cli.lookup import find_execution, open_session

    session = open_session(target)
    arn = find_execution(session, target, execution, profile)
    retry(session, arn)
    _watch(session, target, arn, plain=plain, summary=summary)


def _watch(session: boto3.Session, target: Target, arn: str, *, plain: bool, summary: Path | None = None) -> None:
    from pipeline.cli.concluding import conclude
    from pipeline.cli.following import LeftError, follow
    from pipeline.cli.lookup import flag

    try:
        ended = follow(session, target, arn, plain=plain, stops=True)
    except LeftError:
        typer.echo(f"left while it stops: `bincount status {arn.rpartition('/')[2]}{flag(arn)}` tells", err=True)
        raise typer.Exit(INTERRUPTED) from None
    code = conclude(session, target, ended, summary)
    raise typer.Exit(INTERRUPTED if ended.status == "Stopped" else code)
