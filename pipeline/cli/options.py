"""Arguments and options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

INTERRUPTED = 130
"""The exit code after Ctrl-C."""


class Target(StrEnum):
    """Where executions run."""

    LOCAL = "local"
    AWS = "aws"


TargetOption = Annotated[Target, typer.Option("--target", help="On this machine or in your AWS account.")]
ExecutionArgument = Annotated[
    str | None,
    typer.Argument(metavar="[EXECUTION]", help="Id, display name or ARN of the execution; the latest unless given."),
]
ExecutionOption = Annotated[
    str | None,
    typer.Option("--execution", "-e", help="Id, display name or ARN of the execution; the latest unless given."),
]
ProfileOption = Annotated[
    str, typer.Option("--profile", "-P", help="The settings profile, a file in pipeline/profiles.")
]
OnlyProfileOption = Annotated[
    str | None, typer.Option("--profile", "-P", help="Only what belongs to this profile; everything unless given.")
]
SetOption = Annotated[
    list[str],
    typer.Option("--set", "-s", metavar="KEY=VALUE", help="Override a setting, as tune.trials=4; may be repeated."),
]
ParameterOption = Annotated[
    list[str],
    typer.Option(
        "--parameter",
        "-p",
        metavar="NAME=VALUE",
        help="A parameter of the pipeline, as Epochs=3; may be repeated. DataUri may be a folder of photos.",
    ),
]
NameOption = Annotated[str | None, typer.Option("--name", help="Display name of the execution.")]
DefinitionOption = Annotated[
    Path | None, typer.Option("--definition", help="Take this compiled definition instead of the profile's.")
]
PlainOption = Annotated[
    bool, typer.Option("--plain", help="Print a line for each change, as when the output is no terminal.")
]
SummaryOption = Annotated[
    Path | None,
    typer.Option("--summary", metavar="FILE", help="Add a Markdown summary to this file, as to $GITHUB_STEP_SUMMARY."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def examples(*lines: str) -> str:
    """Return an epilog of examples that help shows as they stand."""
    return "\n".join(["\b", "Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)])


def pairs(given: list[str], option: str) -> dict[str, str]:
    """Split `name=value` texts. Raises UserError where one is none."""
    from pipeline.errors import UserError

    found: dict[str, str] = {}
    for text in given:
        name, separator, value = text.partition("=")
        if not separator or not name.strip():
            raise UserError(f"{option} takes name=value, not {text!r}")
        found[name.strip()] = value
    return found
