"""`--containers`: the engine found, and the images looked for, before anything is started."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import typer

from pipeline.cli.options import Target
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.local.containers.choice import Choice

_IMAGES = frozenset({"ImageUri", "TrainingImage", "Image"})


def chosen(target: Target) -> Choice:
    """Return the engine to run containers in. Raises UserError: there is none that works, or the target is AWS."""
    from pipeline.local.containers.choice import ARGUMENTS, choose

    if target is Target.AWS:
        raise UserError("--containers is for this machine: on AWS jobs run in containers anyway")
    choice = choose()
    if choice.host_network:
        typer.echo(f"warning: {ARGUMENTS} gives containers this machine's network: no job is isolated", err=True)
    return choice


def require_images(choice: Choice, definition: str) -> None:
    """Raise UserError unless the engine has every image that a definition names."""
    engine = choice.engine
    for uri in sorted(set(images_in(json.loads(definition)))):
        if not engine.has(uri):
            raise UserError(f"image {uri} is not here: run `bincount images build`")


def images_in(document: Any) -> Iterator[str]:  # noqa: ANN401
    """Yield the images that a part of a definition names; not what an expression would give."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name in _IMAGES and isinstance(value, str):
                yield value
            else:
                yield from images_in(value)
    elif isinstance(document, list):
        for value in document:
            yield from images_in(value)
