from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.split.ids import Spellings, is_sane, natural, number, printable


@pytest.mark.parametrize("photo_id", ["00710", "710", "bin-7_a", "Ünï", "a b", "a" * 200])
def test_sane_ids(photo_id: str) -> None:
    assert is_sane(photo_id)


@pytest.mark.parametrize(
    "photo_id",
    ["", " ", " 7", "7 ", ".", "..", "../7", "a/b", "a\\b", "a\nb", "a\0", "\x7f", "\u2028", "\udcff", "a" * 201],
)
def test_ids_that_are_not_sane(photo_id: str) -> None:
    assert not is_sane(photo_id)


def test_only_ascii_digits_of_an_int64_are_numbers() -> None:
    assert number("00710") == 710
    assert [number(text) for text in ("", "-1", "+1", "1_0", "٣", "²", "1" * 19)] == [None] * 7


def test_natural_order_is_by_value_then_text() -> None:
    assert sorted(["b", "10", "9", "a", "010", "0"], key=natural) == ["0", "9", "010", "10", "a", "b"]


@given(st.text(max_size=500))
def test_printable_is_one_short_line(text: str) -> None:
    shown = printable(text)
    assert len(shown) <= 200
    assert len(shown.splitlines()) <= 1
    shown.encode()


def test_either_spelling_finds_the_other() -> None:
    assert Spellings({"00710", "100313"}).find("710") == "00710"
    assert Spellings({"710", "100313"}).find("00710") == "710"
    assert Spellings({"0"}).find("00000") == "0"
    assert Spellings({"710"}).find("711") is None
    assert Spellings({"a"}).find("0a") is None


def test_where_both_spellings_are_used_zeros_mean_something() -> None:
    spellings = Spellings({"1021", "01021", "01043"})
    assert spellings.find("01021") == "01021"
    assert spellings.find("1021") == "1021"
    assert spellings.find("1043") is None
