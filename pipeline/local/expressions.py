"""Expressions of a pipeline definition: Get, Std:Join, Std:JsonGet, and the paths inside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Value = str | int | float | bool
Path = tuple[str | int, ...]

_TOKEN = re.compile(r"(?:^|(?!^)\.)([^.\[\]'\"]+)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
_KINDS = ("Get", "Std:Join", "Std:JsonGet")


class ExpressionError(Exception):
    """An expression that has no value: the message says which and why, in one line."""


def parse_path(text: str) -> Path:
    """Split `a.b['c'][0]` into ("a", "b", "c", 0). Raises ExpressionError."""
    parts: list[str | int] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"cannot read the path {text!r} at character {position + 1}")
        name, index, single, double = match.groups()
        parts.append(int(index) if index is not None else next(p for p in (name, single, double) if p is not None))
        position = match.end()
    if not parts:
        raise ExpressionError("a path is empty")
    return tuple(parts)


def walk(value: Any, path: Path, text: str) -> Any:  # noqa: ANN401
    """Follow a path into a JSON value. A name on a list picks the element so named, as Outputs['train'] does.

    Raises ExpressionError, with `text` in its message.
    """
    for part in path:
        value = _child(value, part, text)
    return value


def _child(value: Any, part: str | int, text: str) -> Any:  # noqa: ANN401
    if isinstance(value, Mapping) and isinstance(part, str) and part in value:
        return value[part]
    if isinstance(value, list):
        if isinstance(part, int) and part < len(value):
            return value[part]
        for element in value:
            if isinstance(element, Mapping) and _named(element, part):
                return element
    raise ExpressionError(f"{text} has no value: {part!r} is not there")


def _named(element: Mapping[str, Any], name: str | int) -> bool:
    return any(key.endswith("Name") and value == name for key, value in element.items())


def expression_kind(value: object) -> str | None:
    """Return "Get", "Std:Join" or "Std:JsonGet" where the JSON value is such an expression."""
    if isinstance(value, dict) and len(value) == 1:
        key = next(iter(value))
        return key if key in _KINDS else None
    return None


def gets(value: object) -> Iterator[str]:
    """Yield the text of every Get inside a JSON value."""
    if isinstance(value, dict):
        if expression_kind(value) == "Get" and isinstance(value["Get"], str):
            yield value["Get"]
        else:
            for member in value.values():
                yield from gets(member)
    elif isinstance(value, list):
        for member in value:
            yield from gets(member)


def to_text(value: Any) -> str:  # noqa: ANN401
    """Write a value as Std:Join does: true and false in lower case, numbers in their shortest form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value)
    raise ExpressionError(f"Std:Join takes strings, numbers and booleans, not {type(value).__name__}")


@dataclass(frozen=True)
class Scope:
    """What expressions can see while an execution runs.

    `properties(step)` gives a step's Describe response, `property_file(step, name)` and `json_object(uri)` give JSON;
    each raises ExpressionError where there is none.
    """

    parameters: Mapping[str, Value]
    execution: Mapping[str, str]
    properties: Callable[[str], Mapping[str, Any]]
    property_file: Callable[[str, str], Any]
    json_object: Callable[[str], Any]

    def resolve(self, value: Any) -> Any:  # noqa: ANN401
        """Return the JSON value with every expression replaced by what it stands for. Raises ExpressionError."""
        match expression_kind(value):
            case "Get":
                return self._get(value["Get"])
            case "Std:Join":
                join = value["Std:Join"]
                return str(join.get("On", "")).join(to_text(self.resolve(part)) for part in join["Values"])
            case "Std:JsonGet":
                return self._json_get(value["Std:JsonGet"])
        if isinstance(value, dict):
            return {key: self.resolve(member) for key, member in value.items()}
        if isinstance(value, list):
            return [self.resolve(member) for member in value]
        return value

    def _get(self, text: str) -> Any:  # noqa: ANN401
        root, *rest = parse_path(text)
        if root == "Parameters":
            return walk(self.parameters, tuple(rest), text)
        if root == "Execution":
            return walk(self.execution, tuple(rest), text)
        if root == "Steps" and rest:
            return walk(self.properties(str(rest[0])), tuple(rest[1:]), text)
        raise ExpressionError(f"{text} is neither of Parameters, nor Execution, nor Steps")

    def _json_get(self, body: Mapping[str, Any]) -> Any:  # noqa: ANN401
        path = str(self.resolve(body["Path"]))
        if "S3Uri" in body:
            source = str(self.resolve(body["S3Uri"]))
            return walk(self.json_object(source), parse_path(path), f"{path} in {source}")
        file = body["PropertyFile"]
        if expression_kind(file) != "Get":
            raise ExpressionError("Std:JsonGet: PropertyFile must be a Get of Steps.<step>.PropertyFiles.<name>")
        parts = parse_path(file["Get"])
        if len(parts) != 4 or parts[0] != "Steps" or parts[2] != "PropertyFiles":
            raise ExpressionError(f"{file['Get']} is not of the form Steps.<step>.PropertyFiles.<name>")
        return walk(self.property_file(str(parts[1]), str(parts[3])), parse_path(path), f"{path} in {file['Get']}")


def typed_parameters(declared: list[Mapping[str, Any]], given: Mapping[str, str]) -> dict[str, Value]:
    """Give each declared parameter its value: the given text read as its type, else the default.

    Raises ExpressionError for unknown names, missing values, text of another type and values outside EnumValues.
    """
    unknown = set(given) - {parameter["Name"] for parameter in declared}
    if unknown:
        raise ExpressionError(f"the pipeline has no parameter {', '.join(sorted(unknown))}")
    values: dict[str, Value] = {}
    for parameter in declared:
        name = parameter["Name"]
        if name in given:
            value = _typed(name, parameter["Type"], given[name])
        elif "DefaultValue" in parameter:
            value = parameter["DefaultValue"]
        else:
            raise ExpressionError(f"parameter {name} has no default: give it a value")
        if parameter.get("EnumValues") and value not in parameter["EnumValues"]:
            allowed = ", ".join(map(str, parameter["EnumValues"]))
            raise ExpressionError(f"parameter {name} is {value!r}: it must be one of {allowed}")
        values[name] = value
    return values


def _typed(name: str, type: str, text: str) -> Value:
    try:
        if type == "Integer":
            return int(text)
        if type == "Float":
            return float(text)
    except ValueError:
        raise ExpressionError(f"parameter {name} is {text!r}: it must be of type {type}") from None
    if type == "Boolean":
        if text.lower() not in {"true", "false"}:
            raise ExpressionError(f"parameter {name} is {text!r}: it must be true or false")
        return text.lower() == "true"
    return text
