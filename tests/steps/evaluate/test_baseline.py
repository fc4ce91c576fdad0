from __future__ import annotations

import json

import numpy as np
import pytest

from steps.evaluate.baseline import BINS, baseline
from steps.evaluate.inference import Answers

LABELS = ("1", "2", "3", "4", "5")


def answers(*rows: list[float]) -> Answers:
    numbers = np.arange(len(rows))
    names = [str(number) for number in numbers]
    return Answers(LABELS, names, [*range(len(rows))], numbers * 0, numbers, (np.array(rows),))


def test_what_is_answered_counts_where_near_misses_are_worth_something() -> None:
    torn = answers([0.31, 0.0, 0.3, 0.29, 0.1])
    torn.near_credits = (0.2,)
    found = baseline(torn)
    assert (found["predicted"], found["mean_confidence"]) == ([0, 0, 0, 1, 0], 0.29)


def test_answers_are_counted_by_class_and_by_confidence() -> None:
    found = baseline(answers([0.2] * 5, [0.0, 0.0, 0.5, 0.5, 0.0], [0.1, 0.05, 0.805, 0.025, 0.02], [0, 0, 0, 0, 1]))
    assert (found["photos"], found["class_labels"], found["predicted"]) == (4, [*LABELS], [1, 0, 2, 0, 1])
    # Closed on the right: 0.2 ends bin 19, a certain answer is in the last one.
    assert [index for index, count in enumerate(found["confidences"]) if count] == [19, 49, 80, BINS - 1]
    assert found["mean_confidence"] == pytest.approx((0.2 + 0.5 + 0.805 + 1) / 4)


def test_the_champions_answers_are_not_counted() -> None:
    both = answers([0.1, 0.6, 0.1, 0.1, 0.1])
    both.probabilities = (*both.probabilities, np.array([[1.0, 0, 0, 0, 0]]))
    assert baseline(both)["predicted"] == [0, 1, 0, 0, 0]


def test_it_is_json() -> None:
    found = baseline(answers([0.1, 0.6, 0.1, 0.1, 0.1]))
    assert json.loads(json.dumps(found, allow_nan=False)) == found
