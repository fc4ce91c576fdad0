"""Expressions of the definition's grammar: Get, Std:Join and Std:JsonGet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.validation.faults import Fault, keys, member, shown, typed

FUNCTIONS = ("Get", "Std:Join", "Std:JsonGet")
EXECUTION = (
    "PipelineExecutionId", "PipelineExecutionArn", "PipelineName", "PipelineArn", "StartDateTime", "CurrentDateTime",
    "TrainingJobName", "ProcessingJobName",
)  # fmt: skip
_PART = re.compile(r"\.([^.\[\]]+)|\['([^']*)'\]|\[\"([^\"]*)\"\]|\[(\d{1,9})\]")


@dataclass(frozen=True)
class Reference:
    """A Get, and where it stands: `root` is Parameters, Execution or Steps; `parts` are names, keys and indices."""

    text: str
    root: str
    parts: tuple[str | int, ...]
    path: str


def is_expression(value: Any) -> bool:  # noqa: ANN401
    """Say whether a value is left to run time."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in FUNCTIONS


def parameter_of(value: dict[str, Any]) -> str | None:
    """Return the name of the parameter that an expression is, if it is one."""
    text = value.get("Get")
    return text.removeprefix("Parameters.") if isinstance(text, str) and text.startswith("Parameters.") else None


def check_scalar(value: Any, path: str) -> Iterator[Fault]:  # noqa: ANN401
    """Yield a fault if a value is neither text, number, boolean nor an expression that gives one."""
    if value is None or (isinstance(value, dict | list) and not is_expression(value)):
        yield Fault(path, f"{shown(value)} is neither a plain value nor one of {', '.join(FUNCTIONS)}")


def check_scalars(values: Any, path: str) -> Iterator[Fault]:  # noqa: ANN401
    """Yield the faults of `check_scalar` in a list."""
    for index, value in enumerate(values) if isinstance(values, list) else ():
        yield from check_scalar(value, f"{path}[{index}]")


def check_expressions(value: Any, path: str) -> Iterator[Fault | Reference]:  # noqa: ANN401
    """Yield every reference below a value, and a fault for every malformed expression."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from check_expressions(item, f"{path}[{index}]")
    if not isinstance(value, dict):
        return
    if is_expression(value):
        yield from _expression(value, path)
        return
    for key, item in value.items():
        if key.startswith("Std:"):
            yield Fault(member(path, key), f"not an expression: one of {', '.join(FUNCTIONS)}, alone in its object")
        yield from check_expressions(item, member(path, key))


def _expression(value: dict[str, Any], path: str) -> Iterator[Fault | Reference]:
    (name, body), *_ = value.items()
    where = f"{path}[{name!r}]" if ":" in name else f"{path}.{name}"
    if name == "Get":
        yield from _get(body, where)
    elif not isinstance(body, dict):
        yield Fault(where, f"{shown(body)} is not an object")
    elif name == "Std:Join":
        yield from keys(body, where, ("On", "Values"))
        yield from typed(body.get("On", ""), str, f"{where}.On", "a string")
        yield from typed(body.get("Values", []), list, f"{where}.Values", "a list")
        yield from check_scalars(body.get("Values"), f"{where}.Values")
        yield from check_expressions(body.get("Values"), f"{where}.Values")
    else:
        yield from keys(body, where, ("Path",), ("PropertyFile", "S3Uri"))
        yield from typed(body.get("Path", ""), str, f"{where}.Path", "a string")
        if ("PropertyFile" in body) == ("S3Uri" in body):
            yield Fault(where, "takes either PropertyFile or S3Uri")
        for key in {"PropertyFile", "S3Uri"} & body.keys():
            yield from check_scalar(body[key], f"{where}.{key}")
            yield from check_expressions(body[key], f"{where}.{key}")


def _get(text: Any, path: str) -> Iterator[Fault | Reference]:  # noqa: ANN401
    if not isinstance(text, str):
        yield Fault(path, f"{shown(text)} is not a string")
        return
    root, rest = re.match(r"([^.\[]*)(.*)", text, re.DOTALL).groups()  # type: ignore[union-attr]  # matches anything
    found = list(_PART.finditer(rest))
    if root not in {"Parameters", "Execution", "Steps", "ForEach", "IterationOutput"}:
        yield Fault(path, f"{shown(text)} does not begin with Parameters., Execution. or Steps.")
    elif not found or "".join(match.group() for match in found) != rest:
        yield Fault(path, f"{shown(text)} is not a path such as Steps.Train.ModelArtifacts.S3ModelArtifacts")
    else:
        yield Reference(text, root, tuple(_part(match) for match in found), path)


def _part(match: re.Match[str]) -> str | int:
    name, single, double, index = match.groups()
    if index is not None:
        return int(index)
    return next(text for text in (name, single, double) if text is not None)
