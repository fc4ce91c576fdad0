"""`run` and `resume`."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.options import (
    INTERRUPTED,
    ExecutionArgument,
    PlainOption,
    ProfileOption,
    SetOption,
    Target,
    TargetOption,
    pairs,
)
from pipeline.errors import UserError, did_you_mean

if TYPE_CHECKING:
    import boto3

DATA, COMMIT = "DataUri", "CommitId"


def run(
    *,
    profile: ProfileOption = "local",
    parameter: Annotated[
        list[str],
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME=VALUE",
            help="A parameter of the pipeline, as Epochs=3; may be repeated. DataUri may be a folder of photos.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    set_: SetOption = [],  # noqa: B006
    name: Annotated[str | None, typer.Option("--name", help="Display name of the execution.")] = None,
    definition: Annotated[
        Path | None, typer.Option("--definition", help="Run this compiled definition instead of the profile's.")
    ] = None,
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
    from pipeline.cli.lookup import open_session

    given = pairs(parameter, "-p")
    text, pipeline, role, tags = _definition(profile, pairs(set_, "--set"), definition)
    session = open_session(target)
    parameters = _parameters(text, given)
    from pipeline.aws.executions import start, upsert

    upsert(session, pipeline, text, role, tags)
    _watch(session, target, start(session, pipeline, parameters, name), plain=plain)


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


def _definition(profile: str, overrides: dict[str, str], file: Path | None) -> tuple[str, str, str, Mapping[str, str]]:
    """Return the definition's text, the pipeline's name, its role and its tags."""
    from pipeline.settings import PROJECT, load_settings

    settings = load_settings(profile, overrides)
    role = settings.role("pipeline")
    if file is not None:
        return _read_definition(file), _pipeline_name(file), role, {"project": PROJECT}
    from rich.console import Console

    from pipeline.cli.compiling import compiled
    from pipeline.local.home import Home

    with Console(stderr=True).status("compiling the definition (once for each change) ..."):
        text = compiled(settings, Home.find().root / "compiled", _compile)
    return text, settings.pipeline_name, role, {"project": PROJECT, "profile": settings.profile, **settings.aws.tags}


def _compile(settings: Any) -> str:  # noqa: ANN401
    from pipeline.compile import compile_definition

    return compile_definition(settings)


def _read_definition(file: Path) -> str:
    from pipeline.validate import validate_definition

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {file}: {error}") from None
    if faults := validate_definition(text):
        raise UserError(f"{file} has {len(faults)} fault(s), the first is {faults[0]}: see `bincount validate {file}`")
    return text


def _pipeline_name(file: Path) -> str:
    name = "-".join("".join(char if char.isascii() and char.isalnum() else " " for char in file.stem).split())
    if not name:
        raise UserError(f"{file} gives the pipeline no name: name the file with letters or digits")
    return name[:256]


def _parameters(text: str, given: dict[str, str]) -> dict[str, str]:
    """Check the names, import a local folder, and add the commit. Raises UserError."""
    import json

    declared = {one["Name"]: one for one in json.loads(text).get("Parameters", [])}
    for name in given:
        if name not in declared:
            raise UserError(
                f"there is no parameter {name}{did_you_mean(name, declared)}: there are {', '.join(declared)}"
            )
    chosen = dict(given)
    if DATA in declared:
        # Two slashes in a row are another prefix in S3, so what is typed loses the one at its end.
        chosen[DATA] = _data(given.get(DATA, "").rstrip("/") or str(declared[DATA].get("DefaultValue", "")))
    if COMMIT in declared and COMMIT not in given and (commit := _commit()):
        chosen[COMMIT] = commit
    return chosen


def _data(where: str) -> str:
    """Return the address of the photos: a folder goes to the local S3 first. Raises UserError where there are none."""
    from pipeline.local.home import Home
    from pipeline.local.s3 import LocalS3, S3Error

    s3 = LocalS3(Home.find().s3)
    if not where.startswith("s3://"):
        from pipeline.cli.data import import_folder

        return import_folder(Path(where), s3).uri
    try:
        found = s3.list(f"{where.rstrip('/')}/")
    except S3Error as error:
        raise UserError(str(error)) from None
    if not found:
        raise UserError(
            f"there are no photos at {where}: give a folder with -p {DATA}=FOLDER (`bincount data synth` draws one)"
        )
    return where


def _commit() -> str | None:
    from pipeline.images import ROOT

    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):  # no git, or no repository: the version then says no commit
        return None
    return found.stdout.strip()
