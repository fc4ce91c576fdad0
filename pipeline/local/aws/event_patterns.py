"""EventBridge's event patterns: read, refused when wrong, and held against events.

After "Comparison operators for use in event patterns" of the EventBridge user guide. A list of the pattern holds when
any of its entries does, for any element where the event has an array; all members of an object must hold; `exists`
looks at leaves only.
"""

from __future__ import annotations

import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Matcher = Callable[[Mapping[str, Any]], bool]
_Test = Callable[[Any], bool]  # of one value
_LeafTest = Callable[[list[Any]], bool]  # of all values that a leaf of the event has

_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "=": lambda value, bound: value == bound,
    "<": lambda value, bound: value < bound,
    "<=": lambda value, bound: value <= bound,
    ">": lambda value, bound: value > bound,
    ">=": lambda value, bound: value >= bound,
}
_LARGEST = 5e9  # of a number in a pattern, either sign


class PatternError(ValueError):
    """The pattern is none that the service takes; the message says why."""


def compile_pattern(text: str) -> Matcher:
    """Return the function that says whether an event (plain JSON) fits a pattern. Raises PatternError."""
    try:
        return _object(json.loads(text, parse_constant=_no_constant))
    except PatternError:
        raise
    except (ValueError, RecursionError) as error:
        raise PatternError(f"it is not JSON: {error}") from None


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")


def _object(pattern: object) -> Matcher:
    if not isinstance(pattern, dict):
        raise PatternError("Filter is not an object")
    if not pattern:
        raise PatternError("Empty patterns are not allowed")
    tests = [_either(value) if name == "$or" else _member(name, value) for name, value in pattern.items()]
    return lambda event: all(test(event) for test in tests)


def _either(branches: object) -> Matcher:
    if not isinstance(branches, list) or len(branches) < 2:
        raise PatternError("$or must be an array of at least two objects")
    tests = [_object(branch) for branch in branches]
    return lambda event: any(test(event) for test in tests)


def _member(name: str, pattern: object) -> Matcher:
    if isinstance(pattern, dict):
        inner = _object(pattern)
        return lambda event: any(inner(part) for part in _objects(event.get(name)))
    if not isinstance(pattern, list):
        raise PatternError(f'"{name}" must be an object or an array')
    if not pattern:
        raise PatternError("Empty arrays are not allowed")
    tests = [_leaf(entry) for entry in pattern]
    return lambda event: any(test(_leaves(event, name)) for test in tests)


def _objects(value: object) -> list[Mapping[str, Any]]:
    """Return the objects at a place of an event; an empty one where there is none, which `exists: false` may fit."""
    return [part for part in _flat(value) if isinstance(part, dict)] or [{}]


def _leaves(event: Mapping[str, Any], name: str) -> list[Any]:
    return [part for part in _flat(event[name]) if not isinstance(part, dict)] if name in event else []


def _flat(value: object) -> Iterator[Any]:
    if isinstance(value, list):
        for part in value:
            yield from _flat(part)
    else:
        yield value


def _leaf(entry: object) -> _LeafTest:
    if isinstance(entry, dict) and set(entry) == {"exists"}:
        wanted = entry["exists"]
        if not isinstance(wanted, bool):
            raise PatternError("exists match pattern must be either true or false")
        return lambda values: bool(values) is wanted
    test = _test(entry)
    return lambda values: any(test(value) for value in values)


def _test(entry: object) -> _Test:
    if isinstance(entry, list):
        raise PatternError("Nested arrays are not allowed")
    if not isinstance(entry, dict):
        return lambda value: _same(value, entry)
    if len(entry) != 1:
        raise PatternError("Only one key allowed in match expression")
    ((operator, operand),) = entry.items()
    if operator not in _OPERATORS:
        raise PatternError(f"Unrecognized match type {operator}")
    return _OPERATORS[operator](operand)


def _same(value: object, other: object) -> bool:
    # True is no 1 in JSON.
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def _text(operator: str, operand: object) -> str:
    if not isinstance(operand, str):
        raise PatternError(f"{operator} match pattern must be a string")
    return operand


def _ignoring_case(operand: object) -> _Test:
    wanted = _text("equals-ignore-case", operand).casefold()
    return lambda value: isinstance(value, str) and value.casefold() == wanted


def _end(operator: str, holds: Callable[[str, str], bool]) -> Callable[[object], _Test]:
    def build(operand: object) -> _Test:
        if isinstance(operand, dict) and set(operand) == {"equals-ignore-case"}:
            folded = _text(operator, operand["equals-ignore-case"]).casefold()
            return lambda value: isinstance(value, str) and holds(value.casefold(), folded)
        wanted = _text(operator, operand)
        return lambda value: isinstance(value, str) and holds(value, wanted)

    return build


def _wildcard(operand: object) -> _Test:
    text = _text("wildcard", operand)
    if re.search(r"(?<!\\)(?:\\\\)*\*\*", text):
        raise PatternError("Consecutive wildcard characters are not allowed")
    if re.search(r"\\(?![\\*])", re.sub(r"\\[\\*]", "", text)):
        raise PatternError("Invalid escape character: only \\* and \\\\ are allowed")
    parts = re.findall(r"\\[\\*]|\*|[^\\*]+", text)
    pattern = re.compile(
        "".join(".*" if part == "*" else re.escape(part.removeprefix("\\")) for part in parts), re.DOTALL
    )
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _numeric(operand: object) -> _Test:
    if not isinstance(operand, list) or len(operand) not in {2, 4}:
        raise PatternError("Value of numeric must be an array of one or two comparisons")
    pairs = list(zip(operand[::2], operand[1::2], strict=True))
    for sign, bound in pairs:
        if not isinstance(sign, str) or sign not in _COMPARISONS:
            raise PatternError(f"Unrecognized numeric range operator: {sign}")
        if isinstance(bound, bool) or not isinstance(bound, int | float) or abs(bound) > _LARGEST:
            raise PatternError(f"{bound} is no number from -5e9 to 5e9")
    if len(pairs) == 2:
        (first, low), (second, high) = pairs
        if first[0] != ">" or second[0] != "<" or not low < high:
            raise PatternError("A numeric range is a lower bound, then a higher upper one")
    return lambda value: (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and all(_COMPARISONS[sign](value, bound) for sign, bound in pairs)
    )


def _cidr(operand: object) -> _Test:
    try:
        network = ipaddress.ip_network(_text("cidr", operand), strict=False)
    except ValueError:
        raise PatternError(f"Malformed CIDR: {operand}") from None

    def holds(value: object) -> bool:
        try:
            return isinstance(value, str) and ipaddress.ip_address(value) in network
        except ValueError:
            return False

    return holds


def _anything_but(operand: object) -> _Test:
    if isinstance(operand, dict):
        ((operator, inner),) = operand.items() if len(operand) == 1 else (("", None),)
        if operator not in _REFUSABLE:
            raise PatternError(f"Unsupported anything-but pattern: {operator}")
        excluded = [_OPERATORS[operator](one) for one in _listed(inner)]
    else:
        values = _listed(operand)
        if any(isinstance(value, bool | dict | list) or value is None for value in values):
            raise PatternError("Inside anything-but list, only strings and numbers are allowed")
        excluded = [_test(value) for value in values]
    return lambda value: not any(test(value) for test in excluded)


def _listed(operand: object) -> list[Any]:
    listed = operand if isinstance(operand, list) else [operand]
    if not listed:
        raise PatternError("Empty arrays are not allowed")
    return listed


_OPERATORS: dict[str, Callable[[object], _Test]] = {
    "prefix": _end("prefix", str.startswith),
    "suffix": _end("suffix", str.endswith),
    "equals-ignore-case": _ignoring_case,
    "wildcard": _wildcard,
    "numeric": _numeric,
    "cidr": _cidr,
    "anything-but": _anything_but,
}
_REFUSABLE = {"prefix", "suffix", "equals-ignore-case", "wildcard"}  # what anything-but takes
