from __future__ import annotations

from pipeline.local.tuning.early_stopping import hopeless

FINISHED = [[0.2, 0.4], [0.4, 0.6], [0.6, 0.8]]


def test_worse_than_the_median_of_running_averages_is_hopeless() -> None:
    # After two epochs the averages are 0.3, 0.5 and 0.7.
    assert hopeless([0.9, 0.49], FINISHED, maximize=True)
    assert not hopeless([0.1, 0.5], FINISHED, maximize=True)
    assert hopeless([0.1, 0.51], FINISHED, maximize=False)


def test_only_trials_that_got_as_far_are_compared_and_three_at_least() -> None:
    assert not hopeless([0.0, 0.0, 0.0], FINISHED, maximize=True)
    assert not hopeless([0.0], FINISHED[:2], maximize=True)
    assert not hopeless([], FINISHED, maximize=True)
