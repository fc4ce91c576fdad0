from __future__ import annotations

import pytest

from benchmarks.figures import Figure, at_most, compared, figures, markdown, medians, plain


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.00712, "0.00712"),
        (0.0000042, "0.000004"),
        (4.5249, "4.52"),
        (31.44, "31.4"),
        (99.97, "100"),
        (12480.4, "12,480"),
    ],
)
def test_numbers_keep_three_figures(value: float, text: str) -> None:
    assert figures(value) == text


def test_a_ratio_under_its_bar_is_a_bar_missed() -> None:
    row = compared("loading", 30.0, 20.0, "photos/s", "ImageFolder", bar=2.0)
    assert row.met is False
    assert row.cells() == ("loading", "30 photos/s", "ImageFolder: 20 photos/s", "1.5x", "at least 2x, **missed**", "")


def test_a_ratio_at_its_bar_has_met_it() -> None:
    assert compared("loading", 40.0, 20.0, "photos/s", "ImageFolder", bar=2.0).met is True


def test_nothing_asked_is_neither_met_nor_missed() -> None:
    row = compared("fetch", 2.0, 1.0, "objects/s", "loop", bar=None)
    assert (row.bar, row.met) == ("", None)


def test_seconds_are_better_when_fewer() -> None:
    assert [at_most("help", taken, "s", bar=0.3).met for taken in (0.1, 0.3, 0.4)] == [True, True, False]


def test_a_table_has_the_columns_that_hold_something() -> None:
    assert markdown([Figure("a|b", "1 s"), Figure("c", "2 s", note="busy")]) == (
        "| what | measured | note |\n| --- | --- | --- |\n| a\\|b | 1 s |  |\n| c | 2 s | busy |\n"
    )


def test_a_terminal_gets_a_line_a_figure() -> None:
    shown = plain([compared("loading", 30.0, 20.0, "photos/s", "ImageFolder", bar=2.0), Figure("a", "1 s")])
    assert shown == "loading: 30 photos/s  (ImageFolder: 20 photos/s)  1.5x  [at least 2x, missed]\na: 1 s\n"


def test_works_take_turns_and_give_their_medians() -> None:
    order: list[str] = []
    values = iter([1.0, 10.0, 3.0, 30.0, 2.0, 20.0])

    def work(name: str) -> float:
        order.append(name)
        return next(values)

    assert medians(3, ours=lambda: work("ours"), peer=lambda: work("peer")) == {"ours": 2.0, "peer": 20.0}
    assert order == ["ours", "peer"] * 3
