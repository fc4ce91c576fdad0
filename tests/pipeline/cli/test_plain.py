from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.cli.plain import changes

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Make


def test_the_first_look_tells_what_is_under_way(make: Make) -> None:
    execution = make.execution(make.step("Split", "Executing"), make.step("Train", "Waiting"))
    assert list(changes(None, execution, make.now)) == [
        "   1:40  bincount-demo m08kb4bksw24 Executing",
        "   1:40  Split       Executing",
    ]


def test_nothing_new_is_no_line(make: Make) -> None:
    execution = make.execution(make.step("Split", "Executing", trials=(make.trial(),)))
    assert list(changes(execution, execution, make.now)) == []


def test_an_execution_that_ended_long_ago_tells_when_it_ended_not_when_one_looks(make: Make) -> None:
    ended = make.execution(status="Failed")
    assert list(changes(None, ended, make.now + timedelta(days=3))) == ["   1:30  bincount-demo m08kb4bksw24 Failed"]


def test_the_end_of_a_step_tells_its_time_and_result_and_the_end_of_all_comes_last(make: Make) -> None:
    before = make.execution(make.step("Train", "Executing", metrics={"loss": 2.0}))
    after = make.execution(make.step("Train", metrics={"loss": 1.0}, cached_from="arn"), status="Succeeded")
    assert list(changes(before, after, make.now)) == [
        "   1:30  Train       Succeeded  from cache  0:30  loss 1",
        "   1:30  bincount-demo m08kb4bksw24 Succeeded",
    ]


def test_metrics_and_trials_tell_when_they_change(make: Make) -> None:
    step = make.step("Tune", "Executing", trials=(make.trial("InProgress", None),), metrics={"loss": 2.0})
    running = replace(step.trials[0], metrics={"loss": 1.5})
    after = replace(step, trials=(running, make.trial("Failed", None, reason="it broke")), metrics={"loss": 1.5})
    assert list(changes(make.execution(step), make.execution(after), make.now)) == [
        "   1:40  Tune        trial 1 InProgress  learning_rate 0.001783  loss 1.5",
        "   1:40  Tune        trial 2 Failed  it broke",
        "   1:40  Tune        loss 1.5",
    ]


def test_a_start_is_told_once(make: Make) -> None:
    waiting, starting = make.step("A", "Waiting"), make.step("A", "Starting")
    assert list(changes(make.execution(waiting), make.execution(starting), make.now)) == []
