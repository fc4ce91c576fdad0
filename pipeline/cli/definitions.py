"""`compile` and `validate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import JsonOption, ProfileOption, SetOption, pairs
from pipeline.errors import UserError


def compile_(
    *,
    profile: ProfileOption = "local",
    set_: SetOption = [],  # noqa: B006 - typer copies it
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write; standard output unless given.")
    ] = None,
) -> None:
    """Compile the pipeline definition.

    No network, no credentials, the same bytes for the same content.
    """
    from pipeline.cli.compiling import write_whole
    from pipeline.compile import compile_definition
    from pipeline.settings import load_settings
    from pipeline.validate import validate_definition

    text = compile_definition(load_settings(profile, pairs(set_, "--set")))
    if faults := validate_definition(text):
        raise UserError(f"the compiled definition has {len(faults)} fault(s), the first is {faults[0]}")
    if out is None:
        typer.echo(text, nl=False)
        return
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out.absolute(), text)
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror}") from None


def validate(
    file: Annotated[Path, typer.Argument(help="A compiled pipeline definition, ours or not.", readable=False)],
    *,
    json: JsonOption = False,
) -> None:
    """Check a compiled definition offline.

    Each fault is printed with its path; the exit code is 1 when there is one.
    """
    import json as json_

    from pipeline.validate import validate_definition

    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{file} is no UTF-8 text") from None
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from None
    faults = validate_definition(text)
    if json:
        typer.echo(json_.dumps([{"path": fault.path, "message": fault.message} for fault in faults], indent=2))
    else:
        for fault in faults:
            typer.echo(str(fault))
        typer.echo(f"{len(faults)} fault{'s' * (len(faults) != 1)}", err=True)
    raise typer.Exit(1 if faults else 0)
