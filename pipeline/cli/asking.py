"""The question before something is changed."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipeline.cli.options import INTERRUPTED

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def ask(question: str, yes: bool) -> None:
    """Go on only where the user says so. Raises UserError where nobody can be asked."""
    require_answer(yes)
    if yes:
        return
    try:
        agreed = typer.confirm(question, err=True)
    except typer.Abort:
        typer.echo("\nnothing is changed", err=True)
        raise typer.Exit(INTERRUPTED) from None
    if not agreed:
        typer.echo("nothing is changed", err=True)
        raise typer.Exit(1)


def require_answer(yes: bool) -> None:
    """Raise UserError where nobody can be asked, before anything is shown."""
    from pipeline.errors import UserError

    if not yes and not sys.stdin.isatty():
        raise UserError(
            "nothing is changed: it would ask first, and there is no terminal; --yes goes on without asking"
        )
