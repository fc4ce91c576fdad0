"""What is wrong with a definition, and where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_SHOWN_CHARACTERS = 60
_LINE_CHARACTERS = 500


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong. `path` is where in the JSON, as `Steps[2].Arguments.RoleArn`; empty for the whole text."""

    path: str
    message: str

    def __str__(self) -> str:
        return _line(f"{self.path}: {self.message}" if self.path else self.message)


def _line(text: str) -> str:
    # Names in a definition may be of any length and hold anything.
    printable = text if text.isprintable() else repr(text)[1:-1]
    return printable if len(printable) <= _LINE_CHARACTERS else f"{printable[:_LINE_CHARACTERS]}..."


def member(path: str, key: str) -> str:
    """Return the path of an object's member."""
    plain = key.isidentifier() if len(key) <= _SHOWN_CHARACTERS else False
    return f"{path}.{key}".lstrip(".") if plain else f"{path}[{shown(key)}]"


def shown(value: Any) -> str:  # noqa: ANN401
    """Return a value as it stands in a message: one short line."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."


def keys(
    value: dict[str, Any], path: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> Iterator[Fault]:
    """Yield a fault for each missing and each unknown key of an object."""
    for key in required:
        if key not in value:
            yield Fault(path, f"missing key {key!r}")
    for key in value:
        if key not in required and key not in optional:
            yield Fault(member(path, key), f"unknown key; known here: {', '.join((*required, *optional))}")


def typed(value: Any, kind: type | tuple[type, ...], path: str, name: str) -> Iterator[Fault]:  # noqa: ANN401
    """Yield a fault if the value is not of the kind. A boolean is no number."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        yield Fault(path, f"{shown(value)} is not {name}")
