from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.rows import Branch, best_trial, branches, clock, metrics_text, number, one_line, rows, step_note

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Make

WITHIN = {"Register": Branch("Gate", "True"), "BelowGate": Branch("Gate", "False")}


def test_branches_are_found_at_any_depth() -> None:
    inner = {"Name": "Inner", "Arguments": {"ElseSteps": [{"Name": "Deep", "Arguments": {}}]}}
    definition = {"Steps": [{"Name": "A"}, {"Name": "Gate", "Arguments": {"IfSteps": [inner], "ElseSteps": []}}]}
    assert branches(definition) == {"Inner": Branch("Gate", "True"), "Deep": Branch("Inner", "False")}
    assert branches({}) == {}


def test_rows_follow_the_definition_with_trials_under_their_step(make: Make) -> None:
    tune = make.step(
        "Tune", "Executing", trials=(make.trial(), make.trial("InProgress", None, metrics={"loss": 1.23456}))
    )
    shown = rows(make.execution(make.step("Split"), tune, make.step("Train", "Waiting")), {}, make.now)
    assert [(row.name, row.state, row.depth) for row in shown] == [
        ("Split", "Succeeded", 0),
        ("Tune", "Executing", 0),
        ("trial 1", "Succeeded", 1),
        ("trial 2", "Executing", 1),
        ("Train", "Waiting", 0),
    ]
    assert [row.seconds for row in shown] == [30, 60, 10, 50, None]
    assert shown[2].note == "learning_rate 0.001783  -> 0.5"
    assert shown[3].note == "learning_rate 0.001783  loss 1.235"


@pytest.mark.parametrize(
    ("outcome", "status", "states"),
    [
        (None, "Executing", ["Waiting", "Waiting"]),
        ("True", "Executing", ["Waiting", "Skipped"]),
        ("False", "Executing", ["Skipped", "Waiting"]),
        (None, "Failed", ["Skipped", "Skipped"]),
    ],
)
def test_a_branch_that_is_not_taken_is_skipped(outcome: str | None, status: str, states: list[str], make: Make) -> None:
    steps = make.step("Gate", outcome=outcome), make.step("Register", "Waiting"), make.step("BelowGate", "Waiting")
    shown = rows(make.execution(*steps, status=status), WITHIN, make.now)
    assert [row.state for row in shown[1:]] == states
    assert [row.depth for row in shown] == [0, 1, 1]


def test_notes_say_what_matters(make: Make) -> None:
    assert step_note(make.step("A", "Failed", reason="no\n\x1b[31m data")) == "no [31m data"
    assert step_note(make.step("A", trials=(make.trial(),))) == "1 trial"
    assert step_note(make.step("A", outcome="False")) == "not passed"
    assert step_note(make.step("A", made="arn:aws:sagemaker:r:1:model-package/g/7")) == "version 7"
    assert step_note(make.step("A", attempts=3, metrics={"rows": 6.0})) == "rows 6  attempt 3"
    given_note = rows(make.execution(make.step("Gate", outcome="True")), {}, make.now, {"Gate": "x >= 1"})
    assert given_note[0].note == "x >= 1"


def test_our_metrics_come_first_and_in_order() -> None:
    assert metrics_text({"train_loss": 0.5, "a": 1, "val_macro_f1": 0.61234}) == "val_macro_f1 0.6123  train_loss 0.5"
    assert metrics_text({"d": 4, "b": 2, "a": 1, "c": 3}) == "a 1  b 2  c 3"
    assert metrics_text({}) == ""


def test_the_best_trial_is_one_that_completed(make: Make) -> None:
    good, stopped, lost = make.trial(objective=0.6), make.trial("Stopped", 0.9), make.trial("Failed", None)
    assert best_trial(make.step("Tune", trials=(stopped, good, lost, make.trial(objective=0.2)))) is good
    losses = [make.trial(objective=value, less_is_better=True) for value in (1.4, 1.2, 1.3)]
    assert best_trial(make.step("Tune", trials=tuple(losses))) is losses[1]
    assert best_trial(make.step("Tune", "Executing", trials=(good,))) is None
    assert best_trial(make.step("Tune", trials=(lost,))) is None


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, ""), (0, "0:00"), (7.9, "0:07"), (754, "12:34"), (3723, "1:02:03")]
)
def test_clock(seconds: float | None, text: str) -> None:
    assert clock(seconds) == text


@given(st.text())
def test_what_a_job_says_cannot_command_the_terminal(text: str) -> None:
    assert all(letter.isprintable() for letter in one_line(text))


def test_number_has_as_many_digits_as_are_read() -> None:
    assert [number(value) for value in (0.123456, 1.0, 1234.5678, 1e-7)] == ["0.1235", "1", "1235", "1e-07"]
