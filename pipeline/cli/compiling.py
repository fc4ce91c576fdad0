"""The compiled definition, kept: compiling takes seconds, and the same content always gives the same text."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.settings import Settings

_CODE = ("pipeline", "steps", "containers")
_COMPILERS = ("sagemaker-mlops", "sagemaker-core", "sagemaker-train")


def compiled(settings: Settings, folder: Path, compile_: Callable[[Settings], str]) -> str:
    """Return the definition of the settings, from `folder` where it was compiled from the same content before.

    Raises UserError where it cannot be compiled, or is not valid.
    """
    from pipeline.images import ROOT
    from pipeline.validate import validate_definition

    kept = folder / f"{_digest(settings, ROOT)}.json"
    if kept.is_file():
        return kept.read_text(encoding="utf-8")
    text = compile_(settings)
    if faults := validate_definition(text):
        raise UserError(f"the compiled definition has {len(faults)} fault(s), the first is {faults[0]}")
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(kept, text)
    return text


def write_whole(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")  # another process may be writing the same file
    try:
        new.write_text(text, encoding="utf-8")
        new.replace(path)
    finally:
        new.unlink(missing_ok=True)


def _digest(settings: Settings, root: Path) -> str:
    digest = hashlib.sha256(settings.model_dump_json().encode())
    for name in _COMPILERS:
        digest.update(f"{name} {_version(name)}\n".encode())
    for path in _files(root):
        digest.update(f"{path.relative_to(root)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:32]


def _files(root: Path) -> Iterator[Path]:
    for folder in _CODE:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
