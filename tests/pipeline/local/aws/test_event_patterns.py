from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.local.aws.event_patterns import PatternError, compile_pattern

RULES = Path(__file__).parents[4] / "lambda" / "deploy" / "rules.json"

texts = st.text(st.sampled_from("abAB*\\é.ß"), max_size=5)
numbers = st.integers(-1000, 1000) | st.floats(-1000, 1000)
scalars = texts | numbers | st.booleans() | st.none()
names = st.sampled_from(["a", "b", "c"])
events: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    names,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)


def fits(pattern: object, event: dict[str, Any]) -> bool:
    return compile_pattern(json.dumps(pattern))(event)


@pytest.mark.parametrize(
    ("entry", "value", "expected"),
    [
        ("a", "a", True),
        ("a", "A", False),
        (1, 1.0, True),
        (1, True, False),
        (1, "1", False),
        (None, None, True),
        ({"prefix": "us-"}, "us-east-1", True),
        ({"prefix": "us-"}, "eu-us-", False),
        ({"prefix": {"equals-ignore-case": "US-"}}, "us-east-1", True),
        ({"suffix": ".png"}, "x.png", True),
        ({"suffix": {"equals-ignore-case": ".PNG"}}, "x.jpg", False),
        ({"equals-ignore-case": "ALICE"}, "alice", True),
        ({"anything-but": "a"}, "b", True),
        ({"anything-but": ["a", 1]}, 1, False),
        ({"anything-but": {"prefix": ["in", "up"]}}, "update", False),
        ({"anything-but": {"wildcard": "*/lib/*"}}, "a/bin/b", True),
        ({"numeric": [">", 0, "<=", 5]}, 5, True),
        ({"numeric": [">", 0, "<=", 5]}, 0, False),
        ({"numeric": ["=", 3e2]}, 300, True),
        ({"numeric": [">", 0]}, True, False),
        ({"numeric": [">", 0]}, "1", False),
        ({"wildcard": "dir/*.png"}, "dir/a/b.png", True),
        ({"wildcard": "a\\*b"}, "a*b", True),
        ({"wildcard": "a\\*b"}, "axb", False),
        ({"cidr": "10.0.0.0/24"}, "10.0.0.9", True),
        ({"cidr": "10.0.0.0/24"}, "10.0.1.9", False),
        ({"cidr": "10.0.0.0/24"}, "somewhere", False),
    ],
)
def test_operators(entry: object, value: object, expected: bool) -> None:
    assert fits({"detail": {"x": [entry]}}, {"detail": {"x": value}}) is expected
    # Of an array any element will do; a list of the pattern is an "or".
    assert fits({"detail": {"x": ["nothing", entry]}}, {"detail": {"x": [[value]]}}) is expected


def test_all_members_must_hold_and_unnamed_ones_do_not_matter() -> None:
    pattern = {"source": ["s"], "detail": {"a": ["1"], "b": ["2"]}}
    assert fits(pattern, {"source": "s", "detail": {"a": "1", "b": "2", "c": "3"}})
    assert not fits(pattern, {"source": "s", "detail": {"a": "1", "b": "3"}})
    assert not fits(pattern, {"detail": {"a": "1", "b": "2"}})


def test_members_of_one_object_in_an_array_hold_together() -> None:
    pattern = {"who": {"first": ["Ann"], "last": ["Lee"]}}
    assert fits(pattern, {"who": [{"first": "Bob", "last": "Roe"}, {"first": "Ann", "last": "Lee"}]})
    assert not fits(pattern, {"who": [{"first": "Ann", "last": "Roe"}, {"first": "Bob", "last": "Lee"}]})


@pytest.mark.parametrize(
    ("event", "there"),
    [
        ({"d": {"x": 1}}, True),
        ({"d": {"x": None}}, True),
        ({"d": {"x": {}}}, False),
        ({"d": {"x": []}}, False),
        ({"d": {}}, False),
        ({"d": "text"}, False),
        ({}, False),
    ],
)
def test_exists_asks_for_a_leaf(event: dict[str, Any], there: bool) -> None:
    assert fits({"d": {"x": [{"exists": True}]}}, event) is there
    assert fits({"d": {"x": [{"exists": False}]}}, event) is not there


@given(events)
def test_the_pattern_of_an_events_own_leaves_fits_it(event: dict[str, Any]) -> None:
    def pattern_of(node: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in node.items():
            if isinstance(value, dict):
                inner = pattern_of(value)
                found |= {name: inner} if inner else {}
            elif not isinstance(value, list):
                found[name] = [value]
        return found

    pattern = pattern_of(event)
    if pattern:
        assert fits(pattern, event)
        assert not fits({**pattern, "never": ["x"]}, event)
        assert fits({**pattern, "never": [{"exists": False}]}, event)


@given(st.lists(scalars, max_size=4), st.lists(scalars, min_size=1, max_size=4))
def test_exact_values_match_where_the_two_lists_meet(values: list[Any], wanted: list[Any]) -> None:
    def key(value: object) -> tuple[bool, object]:
        return isinstance(value, bool), value

    meet = bool({key(value) for value in values} & {key(value) for value in wanted})
    assert fits({"x": wanted}, {"x": values}) is meet


@given(scalars, st.lists(texts | numbers, min_size=1, max_size=3))
def test_anything_but_is_the_opposite_of_the_values(value: object, excluded: list[Any]) -> None:
    assert fits({"x": [{"anything-but": excluded}]}, {"x": value}) is not fits({"x": excluded}, {"x": value})


@given(texts, texts)
def test_ends_are_those_of_python(value: str, part: str) -> None:
    event = {"x": value}
    assert fits({"x": [{"prefix": part}]}, event) is value.startswith(part)
    assert fits({"x": [{"suffix": part}]}, event) is value.endswith(part)
    assert fits({"x": [{"equals-ignore-case": part}]}, event) is (value.casefold() == part.casefold())


@given(scalars, st.integers(-50, 50), st.integers(1, 50), st.sampled_from([">", ">="]), st.sampled_from(["<", "<="]))
def test_numeric_ranges_are_comparisons(value: Any, low: int, width: int, lower: str, upper: str) -> None:
    high = low + width
    number = isinstance(value, int | float) and not isinstance(value, bool)
    above = number and (value > low or (lower == ">=" and value == low))
    below = number and (value < high or (upper == "<=" and value == high))
    assert fits({"x": [{"numeric": [lower, low, upper, high]}]}, {"x": value}) is (above and below)


@given(st.lists(st.text("ab*\\", max_size=3), min_size=1, max_size=3), st.text("ab*\\", max_size=6))
def test_wildcards_stand_for_any_text(literals: list[str], value: str) -> None:
    literals = [literals[0], *filter(None, literals[1:])]  # no two wildcards side by side
    pattern = "*".join(re.sub(r"([\\*])", r"\\\1", literal) for literal in literals)
    expected = re.fullmatch(".*".join(map(re.escape, literals)), value, re.DOTALL) is not None
    assert fits({"x": [{"wildcard": pattern}]}, {"x": value}) is expected
    assert fits({"x": [{"anything-but": {"wildcard": pattern}}]}, {"x": value}) is not expected


@given(events, st.lists(scalars, min_size=1, max_size=2), st.lists(scalars, min_size=1, max_size=2))
def test_or_is_either_and_members_beside_it_are_and(event: dict[str, Any], first: list[Any], second: list[Any]) -> None:
    either = fits({"a": first}, event) or fits({"b": {"c": second}}, event)
    assert fits({"$or": [{"a": first}, {"b": {"c": second}}]}, event) is either
    assert fits({"c": [{"exists": True}], "$or": [{"a": first}, {"b": {"c": second}}]}, event) is (
        either and fits({"c": [{"exists": True}]}, event)
    )


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("{", "not JSON"),
        ('{"x": [NaN]}', "not JSON"),
        ("[" * 4000, "not JSON"),
        ("[]", "not an object"),
        ("{}", "Empty patterns"),
        ('{"x": {}}', "Empty patterns"),
        ('{"x": []}', "Empty arrays"),
        ('{"x": "a"}', "must be an object or an array"),
        ('{"x": [["a"]]}', "Nested arrays"),
        ('{"x": [{"like": "a"}]}', "Unrecognized match type like"),
        ('{"x": [{"prefix": "a", "suffix": "b"}]}', "Only one key"),
        ('{"x": [{"exists": "yes"}]}', "true or false"),
        ('{"x": [{"prefix": 1}]}', "must be a string"),
        ('{"x": [{"numeric": []}]}', "one or two comparisons"),
        ('{"x": [{"numeric": ["~", 1]}]}', "Unrecognized numeric range operator"),
        ('{"x": [{"numeric": [">", "1"]}]}', "no number"),
        ('{"x": [{"numeric": [">", 6e9]}]}', "no number"),
        ('{"x": [{"numeric": ["<", 1, ">", 0]}]}', "lower bound"),
        ('{"x": [{"numeric": [">", 5, "<", 1]}]}', "lower bound"),
        ('{"x": [{"wildcard": "a**"}]}', "Consecutive wildcard"),
        ('{"x": [{"wildcard": "a\\\\b"}]}', "Invalid escape"),
        ('{"x": [{"cidr": "10.0.0.0/99"}]}', "Malformed CIDR"),
        ('{"x": [{"anything-but": [true]}]}', "strings and numbers"),
        ('{"x": [{"anything-but": []}]}', "Empty arrays"),
        ('{"x": [{"anything-but": {"numeric": ["=", 1]}}]}', "Unsupported anything-but"),
        ('{"$or": [{"a": [1]}]}', "at least two"),
    ],
)
def test_what_is_no_pattern_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(PatternError, match=reason):
        compile_pattern(pattern)


def test_the_rules_of_the_deploy_function_match_its_events() -> None:
    rules = json.loads(RULES.read_text(encoding="utf-8"))
    package = {"ModelPackageGroupName": "bincount-demo", "ModelApprovalStatus": "Approved"}
    event = {"source": "aws.sagemaker", "detail-type": "SageMaker Model Package State Change"}
    approval = rules["bincount-approval"]
    assert fits(approval, {**event, "detail": {**package, "UpdatedModelPackageFields": ["ModelApprovalStatus"]}})
    assert not fits(approval, {**event, "detail": {**package, "UpdatedModelPackageFields": ["ModelCard"]}})
    endpoint = {"EndpointName": "bincount-demo-staging", "EndpointStatus": "IN_SERVICE"}
    changed = {"source": "aws.sagemaker", "detail-type": "SageMaker Endpoint State Change", "detail": endpoint}
    assert fits(rules["bincount-endpoint"], changed)
    assert not fits(approval, changed)
