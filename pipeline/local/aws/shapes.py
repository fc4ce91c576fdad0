"""Values held against botocore's models, and turned from and into what a model's types are in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.model import Shape
from botocore.utils import parse_timestamp, parse_to_aware_datetime
from botocore.validate import ParamValidator, ValidationErrors

from pipeline.validation.patterns import matches


class _Validator(ParamValidator):
    """botocore's validator, and what it leaves to the service: enumerations, patterns and upper limits."""

    def __init__(self) -> None:
        self.refusals: list[str] = []

    def _shape_has_constraints(self, shape: Shape) -> bool:  # noqa: ARG002
        # botocore checks only the type of a list's members where it knows no constraint for them.
        return True

    def _validate(self, params: object, shape: Shape, errors: ValidationErrors, name: str) -> None:
        super()._validate(params, shape, errors, name)  # type: ignore[misc] # the stubs leave it out
        self.refusals += (
            f"Value at '{name.removeprefix('.')}' failed to satisfy: {rule}" for rule in _broken(params, shape)
        )


def _broken(value: object, shape: Shape) -> Iterator[str]:
    limit, allowed, pattern = (shape.metadata.get(rule) for rule in ("max", "enum", "pattern"))
    if limit is not None and _size(value) > limit:
        yield f"Member must have length or value less than or equal to {limit}"
    if not isinstance(value, str) or shape.type_name != "string":
        return
    if allowed and value not in allowed:
        yield f"Member must satisfy enum value set: [{', '.join(allowed)}]"
    if pattern and not matches(pattern, value):
        yield f"Member must satisfy regular expression pattern: {pattern}"


def _size(value: object) -> float:
    if isinstance(value, int | float):
        return value
    return len(value) if isinstance(value, str | bytes | list | tuple | dict) else 0


def faults(shape: Shape | None, value: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a request or an answer, a line each; nothing when all is well."""
    if shape is None:
        return []
    validator = _Validator()
    errors = validator.validate(dict(value), shape)
    return (errors.generate_report().split("\n") if errors.has_errors() else []) + validator.refusals


def answer_faults(shape: Shape | None, value: Mapping[str, Any]) -> list[str]:
    """Return the same for an answer, whose lists may be empty: the services do not hold those to their models."""
    return [fault for fault in faults(shape, value) if ", value: 0, valid min length:" not in fault]


def inward(shape: Shape | None, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a request whose times are seconds since 1970."""
    return {} if shape is None else _convert(shape, value, lambda time: parse_to_aware_datetime(time).timestamp())


def outward(shape: Shape | None, value: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of an answer whose times are what boto3 gives: aware datetimes."""
    return {} if shape is None else _convert(shape, value, parse_timestamp)


def _convert(shape: Any, value: Any, time: Callable[[Any], object]) -> Any:  # noqa: ANN401
    if shape.type_name == "structure":
        return {name: _convert(shape.members[name], member, time) for name, member in value.items()}
    if shape.type_name == "list":
        return [_convert(shape.member, member, time) for member in value]
    if shape.type_name == "map":
        return {name: _convert(shape.value, member, time) for name, member in value.items()}
    return time(value) if shape.type_name == "timestamp" else value
