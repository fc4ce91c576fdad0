from __future__ import annotations

import copy
import math
from typing import Any

import pytest

from pipeline.cli.figures import Comparison, Difference, Figure, Row, compare, figure, same_photos
from tests.registered import beside, evaluation

OLD = evaluation(0.62, "old")
NEW = evaluation(0.65, "new", champion=beside(OLD, 0.03))


def row(compared: Comparison, name: str) -> Row:
    return next(row for row in compared.rows if row.name == name)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("p-a-short96", "p-a-short96", True),
        ("p-a-short96", "p-a-short256", True),  # stored in another size
        ("p-a-short96", "q-a-short96", False),
        ("p-a-short96", "p-b-short96", False),
        ("shards-1", "shards-2", False),
        ("", "p-a-short96", None),
    ],
)
def test_data_hashes_tell_whether_the_photos_are_the_same(left: str, right: str, same: bool | None) -> None:
    assert same_photos(left, right) is same


def parts(difference: Difference | None) -> list[float]:
    """Return the value and the bounds."""
    assert difference is not None
    assert difference.interval is not None
    return [difference.value, *difference.interval]


def test_the_gain_over_the_champion_is_the_paired_difference() -> None:
    compared = compare(NEW, OLD, same=True)
    assert compared.scored_on == "both"
    gain = row(compared, "macro_f1")
    assert gain.difference is not None
    assert gain.difference.paired
    assert parts(gain.difference) == pytest.approx([0.03, 0.01, 0.05])
    assert gain.verdict == "better"
    other_way = row(compare(OLD, NEW, same=True), "macro_f1")
    assert parts(other_way.difference) == pytest.approx([-0.03, -0.05, -0.01])
    assert other_way.verdict == "worse"


def test_other_differences_take_the_scores_for_independent() -> None:
    accuracy = row(compare(NEW, OLD, same=True), "accuracy")
    reach = 1.96 * math.hypot(0.05, 0.05)
    assert accuracy.difference is not None
    assert not accuracy.difference.paired
    assert parts(accuracy.difference) == pytest.approx([0.03, 0.03 - reach, 0.03 + reach])
    assert accuracy.verdict == "within chance"


def test_on_other_photos_the_champion_is_shown_as_it_was_scored_again() -> None:
    newer = copy.deepcopy(NEW)
    newer["champion"]["macro_f1"]["value"] = 0.55  # on the newer one's photos, which are harder
    compared = compare(newer, OLD, same=False)
    assert compared.scored_on == "left"
    assert row(compared, "macro_f1").right == Figure(0.55, (0.52, 0.72), 0.05)
    swapped = compare(OLD, newer, same=False)
    assert swapped.scored_on == "right"
    assert row(swapped, "macro_f1").left == Figure(0.55, (0.52, 0.72), 0.05)


def test_scores_on_different_photos_have_no_difference() -> None:
    compared = compare(evaluation(0.9, "x"), OLD, same=False)
    assert compared.scored_on == "each"
    assert [row.difference for row in compared.rows] == [None, None, None]
    assert {row.verdict for row in compared.rows} == {""}


def test_where_nobody_knows_the_difference_is_shown_but_said_to_be_of_each() -> None:
    compared = compare(evaluation(0.9, "x"), OLD, same=None)
    assert compared.scored_on == "each"
    assert row(compared, "macro_f1").difference is not None


@pytest.mark.parametrize(
    ("name", "interval", "verdict"),
    [
        ("macro_f1", (0.1, 0.2), "better"),
        ("macro_f1", (-0.2, -0.1), "worse"),
        ("mae", (0.1, 0.2), "worse"),
        ("mae", (-0.2, -0.1), "better"),
        ("rmse", (-0.1, 0.0), "within chance"),
        ("accuracy", None, ""),
    ],
)
def test_less_error_is_better(name: str, interval: tuple[float, float] | None, verdict: str) -> None:
    assert Row(name, Figure(0.0), Figure(0.0), Difference(0.0, interval, paired=False)).verdict == verdict


@pytest.mark.parametrize("broken", [{}, {"multiclass_classification_metrics": 3}, {"champion": 3}, {"champion": {}}])
def test_what_is_no_evaluation_has_no_figures(broken: dict[str, Any]) -> None:
    compared = compare(broken, OLD, same=True)
    assert all(row.left is None and row.difference is None for row in compared.rows)
    assert compare(broken, broken, same=True).rows == ()


@pytest.mark.parametrize("digest", [None, 3, {}])
def test_a_champion_without_a_digest_is_nobody(digest: object) -> None:
    new, old = copy.deepcopy(NEW), copy.deepcopy(OLD)
    new["champion"]["model"]["sha256"] = old["model"]["sha256"] = digest
    assert compare(new, old, same=False).scored_on == "each"


@pytest.mark.parametrize("value", [None, "0.5", True, math.nan, math.inf, {}])
def test_a_score_is_a_number(value: object) -> None:
    assert figure({"macro_f1": {"value": value}}, "macro_f1") is None
    assert figure({"macro_f1": value}, "macro_f1") is None
    bounds = {"lower": value, "upper": 1.0}
    assert figure({"x": {"value": 1, "confidence_interval": bounds}}, "x") == Figure(1.0)
