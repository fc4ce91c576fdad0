from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.local.conditions import all_hold, holds
from pipeline.local.expressions import ExpressionError

NUMBERS = st.integers(-5, 5) | st.floats(-5, 5)


def same(value: Any) -> Any:
    return value


def compare(type: str, left: Any, right: Any) -> bool:
    return holds({"Type": type, "LeftValue": left, "RightValue": right}, same)


@given(NUMBERS, NUMBERS)
def test_numbers_compare_as_numbers(left: float, right: float) -> None:
    assert compare("Equals", left, right) == (left == right)
    assert compare("NotEquals", left, right) == (left != right)
    assert compare("GreaterThan", left, right) == (left > right)
    assert compare("GreaterThanOrEqualTo", left, right) == (left >= right)
    assert compare("LessThan", left, right) == (left < right)
    assert compare("LessThanOrEqualTo", left, right) == (left <= right)


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [("a", "a", True), ("1", 1, False), (True, 1, False), (True, True, True), (None, None, True)],
)
def test_equality_keeps_types_apart(left: Any, right: Any, equal: bool) -> None:
    assert compare("Equals", left, right) is equal
    assert holds({"Type": "In", "QueryValue": left, "Values": ["x", right]}, same) is equal


@pytest.mark.parametrize(("left", "right"), [("0.5", 0.4), (True, 0), (None, 1), ([1], [0])])
def test_an_order_between_types_is_an_error(left: Any, right: Any) -> None:
    with pytest.raises(ExpressionError, match="cannot compare"):
        compare("GreaterThan", left, right)


def test_not_or_in_and_the_list() -> None:
    yes = {"Type": "Equals", "LeftValue": 1, "RightValue": 1}
    no = {"Type": "Not", "Condition": yes}
    assert not holds(no, same)
    assert holds({"Type": "Or", "Conditions": [no, yes]}, same)
    assert not holds({"Type": "Or", "Conditions": [no, no]}, same)
    assert all_hold([yes, yes], same)
    assert not all_hold([yes, no], same)


def test_values_are_resolved() -> None:
    condition = {"Type": "In", "QueryValue": {"Get": "q"}, "Values": [{"Get": "a"}]}
    assert holds(condition, lambda _: "same")


def test_a_condition_that_cannot_be_evaluated_is_seen_whatever_the_others_say() -> None:
    no = {"Type": "Equals", "LeftValue": 1, "RightValue": 2}
    bad = {"Type": "LessThan", "LeftValue": "a", "RightValue": 2}
    with pytest.raises(ExpressionError):
        all_hold([no, bad], same)


def test_an_unknown_type_is_refused() -> None:
    with pytest.raises(ExpressionError, match="no condition type Like"):
        compare("Like", 1, 1)
