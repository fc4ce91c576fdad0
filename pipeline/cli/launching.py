"""What `run` does before it watches: it plans, shows the plan, and carries it out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipeline.cli.options import INTERRUPTED, Target

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.launching.models import Plan, Started, Wanted
    from pipeline.settings import Settings

HEAD = ("plan", "what", "name", "note")
_VERBS = {"new": "create", "changed": "update", "same": "keep"}


def asked_for(
    session: boto3.Session,
    target: Target,
    settings: Settings,
    file: Path | None,
    given: Mapping[str, str],
    name: str | None,
    *,
    dry_run: bool,
) -> Wanted:
    """Return the execution that the command line asks for.

    On this machine, a folder of photos is imported for it, unless this is a dry run.

    Args:
        session: who answers.
        target: where it is to run.
        settings: what it is compiled from.
        file: a compiled definition to take instead.
        given: parameters.
        name: the execution's display name.
        dry_run: nothing may be changed.

    Raises:
        UserError: there is no such definition, parameter or photo.
    """
    from pipeline.aws.launching.models import Need, Wanted
    from pipeline.aws.launching.needs import needs
    from pipeline.building.images import images_of
    from pipeline.cli.photos import RemotePhotos, found_data, local_data
    from pipeline.cli.sources import parameters, source

    what = source(settings, file)
    photos = RemotePhotos(session, what.bucket)
    there = photos if target is Target.AWS else found_data if dry_run else local_data
    values = parameters(what.definition, given, there, ours=what.compiled)
    remote = what.compiled and target is Target.AWS
    return Wanted(
        pipeline=what.pipeline,
        definition=what.definition,
        role=what.role,
        tags=what.tags,
        bucket=what.bucket,
        parameters=values,
        name=name,
        images=tuple(image for image in images_of(settings) if image.uri in what.definition) if remote else (),
        functions=remote,
        needs=(
            *(needs(what.definition, values) if target is Target.AWS else ()),
            *((Need("endpoint", settings.deploy.staging_instance_type, 1),) if remote else ()),
        ),
        data=photos.data,
    )


def launch(
    session: boto3.Session, target: Target, wanted: Wanted, confirm: Callable[[], None] | None, *, dry_run: bool
) -> str | None:
    """Plan what is wanted, show the plan, and do it; return the execution's ARN, or None after a dry run.

    On this machine there is little to plan: it is shown only where it is asked for. `confirm` is called once the plan
    is shown, and ends the command where the user does not want it. Raises UserError.
    """
    from rich.console import Console

    from pipeline.aws.launching.executor import execute
    from pipeline.aws.launching.inventory import read
    from pipeline.aws.launching.planner import plan
    from pipeline.cli.tables import print_table
    from pipeline.local.home import Home

    with Console(stderr=True).status("looking at what there is ..."):
        planned = plan(wanted, read(session, wanted))
    if dry_run or target is Target.AWS:
        print_table(HEAD, rows(planned), "")
        for warning in planned.warnings:
            typer.echo(f"warning: {warning}", err=True)
    if confirm is not None:
        confirm()
    if dry_run:
        return None
    logs = Home.find().root / "images"
    try:
        begun = execute(session, planned, logs, lambda line: typer.echo(line, err=True))
    except KeyboardInterrupt:
        typer.echo("\nleft: the same command goes on from there; `bincount list` shows what has started", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if target is Target.AWS:
        typer.echo(_started_text(begun), err=True)
    return begun.arn


def _started_text(begun: Started) -> str:
    from pipeline.aws.links import region_of, studio_url

    version = f" from version {begun.version} of the pipeline" if begun.version is not None else ""
    return f"execution {begun.arn.rpartition('/')[2]} has started{version}: {studio_url(region_of(begun.arn))}"


def rows(plan: Plan) -> Iterator[tuple[str, str, str, str]]:
    """Yield a row of the plan's table for each thing that is done, in order."""
    wanted = plan.wanted
    for image in plan.images:
        yield "build and push", "image", str(image), "not in ECR"
    for name in plan.functions:
        yield "update", "function", name, "its code differs"
    if wanted.data is not None:
        every, some = len(wanted.data.files), len(plan.files)
        note = f"{some} of {every} files are not there" if some else f"{every} files are there"
        yield "upload" if some else "keep", "photos", wanted.data.uri, note
    version = f"version {plan.version}" if plan.version is not None else "what is there"
    note = {"new": "", "changed": f"{version} differs", "same": f"{version} is the same"}[plan.change]
    yield _VERBS[plan.change], "pipeline", wanted.pipeline, note
    values = "  ".join(f"{name}={value}" for name, value in wanted.parameters.items())
    yield "start", "execution", wanted.name or wanted.pipeline, values
