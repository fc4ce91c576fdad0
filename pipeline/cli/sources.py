"""What is to be run: the definition, compiled or from a file, and the values of its parameters."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UserError, did_you_mean

if TYPE_CHECKING:
    from pipeline.settings import Settings

DATA, COMMIT = "DataUri", "CommitId"


@dataclass(frozen=True)
class Source:
    """A definition and what its pipeline is to be; `compiled` is False where it comes from a file."""

    definition: str
    pipeline: str
    role: str
    tags: Mapping[str, str]
    bucket: str
    compiled: bool


def source(settings: Settings, file: Path | None) -> Source:
    """Return the definition that the settings give, or the file's, with its pipeline's name, role and tags.

    Raises:
        UserError: it cannot be compiled or read, or it has faults.
    """
    from pipeline.settings import PROJECT

    role, bucket = settings.role("pipeline"), settings.aws.bucket
    if file is not None:
        return Source(_read(file), _name(file), role, {"project": PROJECT}, bucket, compiled=False)
    from rich.console import Console

    from pipeline.cli.compiling import compiled
    from pipeline.local.home import Home

    with Console(stderr=True).status("compiling the definition (once for each change) ..."):
        text = compiled(settings, Home.find().root / "compiled", _compile)
    tags = {"project": PROJECT, "profile": settings.profile, **settings.aws.tags}
    return Source(text, settings.pipeline_name, role, tags, bucket, compiled=True)


def _compile(settings: Settings) -> str:
    from pipeline.compile import compile_definition

    return compile_definition(settings)


def _read(file: Path) -> str:
    from pipeline.validate import validate_definition

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {file}: {error}") from None
    if faults := validate_definition(text):
        raise UserError(f"{file} has {len(faults)} fault(s), the first is {faults[0]}: see `bincount validate {file}`")
    return text


def _name(file: Path) -> str:
    name = "-".join("".join(char if char.isascii() and char.isalnum() else " " for char in file.stem).split())
    if not name:
        raise UserError(f"{file} gives the pipeline no name: name the file with letters or digits")
    return name[:256]


def parameters(definition: str, given: Mapping[str, str], data: Callable[[str], str], *, ours: bool) -> dict[str, str]:
    """Check names and values, and add the data's address and the commit.

    Args:
        definition: the text that declares them.
        given: what the user gave.
        data: turns what was given for DataUri into the address of photos that are there.
        ours: it is one of this project's profiles: its settings' limits hold for its parameters.

    Raises:
        UserError: there is no such parameter, a value is of another type or out of its limits, or `data` finds no
            photos.
    """
    from pipeline.local.expressions import ExpressionError, typed_parameters

    known = declared(definition, given)
    try:
        typed_parameters([one for name, one in known.items() if name in given], given)
    except ExpressionError as error:
        raise UserError(str(error)) from None
    if ours:
        from pipeline.parameter_limits import check_limits

        check_limits(given)
    chosen = dict(given)
    if DATA in known:
        # Two slashes in a row are another prefix in S3, so what is typed loses the one at its end.
        typed = given.get(DATA, "")
        chosen[DATA] = data(typed.rstrip("/") or typed or str(known[DATA].get("DefaultValue", "")))
    if COMMIT in known and COMMIT not in given and (commit := commit_id()):
        chosen[COMMIT] = commit
    return chosen


def declared(definition: str, given: Collection[str]) -> dict[str, Mapping[str, object]]:
    """Return the parameters that a definition declares, by name. Raises UserError where `given` names another."""
    known = {str(one["Name"]): one for one in json.loads(definition).get("Parameters", [])}
    for name in given:
        if name not in known:
            raise UserError(f"there is no parameter {name}{did_you_mean(name, known)}: there are {', '.join(known)}")
    return known


def commit_id() -> str | None:
    """Return the commit of this checkout; None where it is none: the version then says no commit."""
    from pipeline.images import ROOT

    try:
        found = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip()
