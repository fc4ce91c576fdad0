from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.evaluate.charts import Axis, comparison, coverage_panel, reliability, training_panels
from steps.evaluate.history import Epoch

levels = st.floats(-1e6, 1e6)


@given(levels, st.floats(1e-3, 1e6))
def test_ticks_are_few_and_on_the_axis(low: float, width: float) -> None:
    ticks = Axis(low, low + width, 0, 100).ticks
    assert 2 <= len(ticks) <= 8
    assert all(-0.1 <= at <= 100.1 for at, _ in ticks)
    assert len({text for _, text in ticks}) == len(ticks)


def test_ticks_are_round() -> None:
    assert [text for _, text in Axis(0, 1, 0, 100).ticks] == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
    assert [text for _, text in Axis(1, 20, 0, 100).ticks] == ["5", "10", "15", "20"]


numbers = st.dictionaries(st.sampled_from(["epoch", "train_loss", "val_loss", "val_macro_f1"]), st.floats(-1e9, 1e9))


@given(st.lists(numbers, max_size=6))
def test_any_history_is_drawn_inside_its_panel(history: Sequence[Epoch]) -> None:
    for panel in training_panels(history):
        for line in panel.lines:
            for x, y in line.points:
                assert panel.x.start - 0.1 <= x <= panel.x.end + 0.1
                assert panel.y.end - 0.1 <= y <= panel.y.start + 0.1


def test_epochs_are_whole_and_the_kept_one_is_marked() -> None:
    history = [{"epoch": 1.0, "val_loss": 2.0}, {"epoch": 2.0, "val_loss": 1.0}]
    (panel,) = training_panels(history, "2")
    assert [text for _, text in panel.x.ticks] == ["1", "2"]
    assert panel.mark == panel.x.at(2)
    assert [training_panels(history, kept)[0].mark for kept in ("", "3", "-1", "nan", "two")] == [None] * 5


def test_a_history_of_one_epoch_draws_no_line() -> None:
    assert training_panels([{"epoch": 1, "train_loss": 1, "val_loss": 1}]) == []


def test_an_epoch_without_a_number_leaves_a_gap_in_that_line_only() -> None:
    (panel,) = training_panels([{"train_loss": 3, "val_loss": 2}, {"train_loss": 2}, {"train_loss": 1, "val_loss": 1}])
    assert [(line.name, len(line.points)) for line in panel.lines] == [("training", 3), ("validation", 2)]


def test_empty_bins_are_not_drawn() -> None:
    empty = {"photos": 0, "accuracy": 0.0, "confidence": 0.0}
    chart = reliability([empty, {"photos": 4, "accuracy": 0.5, "confidence": 0.75}, empty])
    assert [(x, y) for x, y, _, _ in chart.dots] == [(chart.x.at(0.75), chart.y.at(0.5))]
    assert len(chart.bars) == 1


@pytest.mark.parametrize(("minimum", "expected"), [(None, None), (0.5, 0.5), (7.0, 1.0), (-1.0, 0.0)])
def test_the_gate_stays_on_the_scale(minimum: float | None, expected: float | None) -> None:
    evaluation = {
        "multiclass_classification_metrics": {
            "macro_f1": {"value": 0.6, "confidence_interval": {"lower": 0.5, "upper": 0.7}}
        },
        "champion": {"present": False},
        "majority_class": {"label": "3", "macro_f1": 0.1},
    }
    chart = comparison(evaluation, minimum)
    assert [row.name for row in chart.rows] == ["This model", "Always “3”"]
    assert chart.gate == (None if expected is None else chart.x.at(expected))
    assert not math.isnan(chart.rows[0].at)


def test_the_surest_are_on_the_left_and_the_share_without_a_person_is_marked() -> None:
    curve = [
        {"coverage": 0.5, "confidence": 0.8, "accuracy": 0.75, "within_one_accuracy": 1.0},
        {"coverage": 1.0, "confidence": 0.3, "accuracy": 0.5, "within_one_accuracy": 0.9},
    ]
    panel = coverage_panel(curve, 0.25)
    exact, close = panel.lines
    assert exact.points == [(panel.x.at(0.5), panel.y.at(0.75)), (panel.x.at(1), panel.y.at(0.5))]
    assert [y for _, y in close.points] == [panel.y.at(1), panel.y.at(0.9)]
    assert panel.mark == panel.x.at(0.25)
    assert coverage_panel(curve, 0.0).mark is None
