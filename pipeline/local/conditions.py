"""Conditions of a ConditionStep."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.local.expressions import ExpressionError

Resolve = Callable[[Any], Any]

_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": lambda left, right: left > right,
    "GreaterThanOrEqualTo": lambda left, right: left >= right,
    "LessThan": lambda left, right: left < right,
    "LessThanOrEqualTo": lambda left, right: left <= right,
}


def all_hold(conditions: list[Mapping[str, Any]], resolve: Resolve) -> bool:
    """Say whether every condition holds. Raises ExpressionError for an unknown type or values that do not compare."""
    # No short cut: a condition that cannot be evaluated is a mistake to be seen, whatever the others say.
    outcomes = [holds(condition, resolve) for condition in conditions]
    return all(outcomes)


def holds(condition: Mapping[str, Any], resolve: Resolve) -> bool:
    """Evaluate one condition; `resolve` replaces expressions by values. Raises ExpressionError."""
    kind = condition["Type"]
    if kind == "Not":
        return not holds(condition["Condition"], resolve)
    if kind == "Or":
        outcomes = [holds(inner, resolve) for inner in condition["Conditions"]]
        return any(outcomes)
    if kind == "In":
        query = resolve(condition["QueryValue"])
        return any(_equal(query, resolve(value)) for value in condition["Values"])
    left, right = resolve(condition["LeftValue"]), resolve(condition["RightValue"])
    if kind == "Equals":
        return _equal(left, right)
    if kind == "NotEquals":
        return not _equal(left, right)
    if kind not in _ORDER:
        raise ExpressionError(f"there is no condition type {kind}")
    if not (_number(left) and _number(right)) and not (isinstance(left, str) and isinstance(right, str)):
        raise ExpressionError(f"{kind} cannot compare {left!r} with {right!r}")
    return _ORDER[kind](left, right)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(left: object, right: object) -> bool:
    # In Python True == 1; in JSON it does not.
    return isinstance(left, bool) == isinstance(right, bool) and left == right
