"""`upsert` and `start`: the two halves of `run`, each on its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import (
    DefinitionOption,
    NameOption,
    ParameterOption,
    ProfileOption,
    SetOption,
    Target,
    TargetOption,
    pairs,
)
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.aws.pipelines import Upserted

_DONE = {"new": "created", "changed": "updated", "same": "unchanged"}


def upsert(
    *,
    profile: ProfileOption = "local",
    set_: SetOption = [],  # noqa: B006 - typer copies it
    definition: DefinitionOption = None,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Create or update the pipeline, and start nothing.

    Executions that run keep the definition that they started with.
    """
    from pipeline.aws.pipelines import upsert as put
    from pipeline.cli.lookup import open_session, settings_on
    from pipeline.cli.sources import source

    session = open_session(target)
    what = source(settings_on(session, target, profile, pairs(set_, "--set")), definition)
    done = put(session, what.pipeline, what.definition, what.role, what.tags, what.bucket)
    typer.echo(upserted_text(what.pipeline, done))


def start(
    *,
    profile: ProfileOption = "local",
    pipeline: Annotated[
        str | None, typer.Option("--pipeline", help="Start the pipeline of this name instead of the profile's.")
    ] = None,
    parameter: ParameterOption = [],  # noqa: B006 - typer copies it
    name: NameOption = None,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Start the pipeline as it was last upserted.

    Prints the execution's id. It does not wait: `bincount watch` follows the execution.
    """
    from pipeline.aws import executions
    from pipeline.aws.pipelines import current
    from pipeline.cli.lookup import open_session
    from pipeline.cli.photos import photos_on
    from pipeline.cli.sources import parameters
    from pipeline.settings import load_settings

    session, given = open_session(target), pairs(parameter, "-p")
    called = pipeline or load_settings(profile).pipeline_name
    now = current(session, called)
    if now is None:
        raise UserError(f"there is no pipeline {called}: `bincount upsert` makes it, `bincount run` starts it as well")
    values = parameters(now.definition, given, photos_on(session, target, profile), ours=pipeline is None)
    typer.echo(executions.start(session, called, values, name, version=now.version).rpartition("/")[2])


def upserted_text(pipeline: str, done: Upserted) -> str:
    """Say in one line what an upsert did."""
    version = f", version {done.version}" if done.version is not None else ""
    later = f" (somebody else has sent version {done.overtaken_by} since)" if done.overtaken_by else ""
    return f"pipeline {pipeline} {_DONE[done.change]}{version}{later}"
