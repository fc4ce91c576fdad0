"""`run` and `resume`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from pipeline.cli.options import (
    INTERRUPTED,
    DefinitionOption,
    ExecutionArgument,
    NameOption,
    ParameterOption,
    PlainOption,
    ProfileOption,
    SetOption,
    Target,
    TargetOption,
    pairs,
)
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3


def run(
    *,
    profile: ProfileOption = "local",
    parameter: ParameterOption = [],  # noqa: B006 - typer copies it
    set_: SetOption = [],  # noqa: B006
    name: NameOption = None,
    definition: DefinitionOption = None,
    plain: PlainOption = False,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Run the pipeline and watch it.

    The exit code is 0 when it succeeded and staging serves the new version, 1 when it failed, the model is below the
    gate or staging turned the version down. Ctrl-C stops the execution as the service would; `bincount resume`
    continues it.
    """
    if target is Target.AWS:
        raise UserError(
            "run --target aws is not there yet: it needs the images in ECR; `bincount compile` gives the definition"
        )
    from pipeline.aws.executions import start
    from pipeline.aws.pipelines import upsert
    from pipeline.cli.lookup import open_session, settings_on
    from pipeline.cli.sources import local_data, parameters, source

    given, session = pairs(parameter, "-p"), open_session(target)
    what = source(settings_on(session, target, profile, pairs(set_, "--set")), definition)
    values = parameters(what.definition, given, local_data)
    done = upsert(session, what.pipeline, what.definition, what.role, what.tags, what.bucket)
    _watch(session, target, start(session, what.pipeline, values, name, version=done.version), plain=plain)


def resume(
    execution: ExecutionArgument = None, *, plain: PlainOption = False, target: TargetOption = Target.LOCAL
) -> None:
    """Continue an execution that failed or was stopped.

    What succeeded is kept.
    """
    from pipeline.aws.executions import retry
    from pipeline.cli.lookup import find_execution, open_session

    session = open_session(target)
    arn = find_execution(session, target, execution)
    retry(session, arn)
    _watch(session, target, arn, plain=plain)


def _watch(session: boto3.Session, target: Target, arn: str, *, plain: bool) -> None:
    from pipeline.cli.following import LeftError, conclude, follow

    try:
        ended = follow(session, target, arn, plain=plain, stops=True)
    except LeftError:
        typer.echo(f"left while it stops: `bincount status {arn.rpartition('/')[2]}` tells", err=True)
        raise typer.Exit(INTERRUPTED) from None
    code = conclude(session, target, ended)
    raise typer.Exit(INTERRUPTED if ended.status == "Stopped" else code)
