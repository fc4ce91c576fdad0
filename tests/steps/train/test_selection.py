from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from steps.common.artifact import NOTHING_IS_SURE
from steps.train.selection import Z, ask_below, in_words, lower_bound

Answers = tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]
shares = st.floats(0, 1)


@st.composite
def answers(draw: st.DrawFn) -> Answers:
    """Up to 60 answers, with many of the same confidence."""
    number = draw(st.integers(0, 60))
    confidence = draw(arrays.arrays(np.float64, number, elements=st.integers(4, 20).map(lambda tenth: tenth / 20)))
    return confidence, draw(arrays.arrays(np.bool_, number))


@given(answers(), shares)
def test_what_stands_reaches_the_target_and_nothing_less_sure_does(given_: Answers, target: float) -> None:
    confidence, correct = given_
    threshold = ask_below(confidence, correct, target)
    for candidate in np.unique(confidence):
        stands = confidence >= candidate
        reaches = lower_bound(correct[stands].sum(), stands.sum()) >= target
        if candidate < threshold:
            assert not reaches
        elif candidate == threshold:
            assert reaches
    assert threshold == NOTHING_IS_SURE or threshold in confidence


@given(answers(), shares, shares)
def test_who_asks_for_more_has_less_stand(given_: Answers, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert ask_below(*given_, low) <= ask_below(*given_, high)


@given(answers(), shares, st.randoms(use_true_random=False))
def test_the_photos_order_does_not_matter(given_: Answers, target: float, random: object) -> None:
    confidence, correct = given_
    order = np.random.default_rng(random.getrandbits(32)).permutation(len(confidence))  # type: ignore[attr-defined]
    assert ask_below(confidence[order], correct[order], target) == ask_below(confidence, correct, target)


def test_few_answers_prove_little_though_all_are_right() -> None:
    sure = np.linspace(0.9, 1, 6), np.ones(6, bool)
    assert ask_below(*sure, 0.7) == NOTHING_IS_SURE
    assert ask_below(np.linspace(0.9, 1, 7), np.ones(7, bool), 0.7) == 0.9


def test_nothing_is_as_sure_as_certainty() -> None:
    assert ask_below(np.ones(10_000), np.ones(10_000, bool), 1.0) == NOTHING_IS_SURE


def test_answers_of_one_confidence_stand_or_fall_together() -> None:
    # The first 90 alone would do; but 90 wrong ones are just as sure.
    confidence, correct = np.full(180, 0.8), np.arange(180) < 90
    assert ask_below(confidence, correct, 0.7) == NOTHING_IS_SURE
    assert ask_below(confidence, correct, 0.4) == 0.8


def test_a_wrong_answer_among_the_surest_does_not_end_the_search() -> None:
    confidence = np.linspace(1, 0.5, 200)
    correct = np.arange(200) >= 5
    assert ask_below(confidence, correct, 0.9) == 0.5


@given(st.integers(1, 300), st.data())
def test_the_bound_is_the_share_that_lies_z_standard_errors_below(number: int, data: st.DataObject) -> None:
    right = data.draw(st.integers(0, number))
    bound = float(lower_bound(np.array(right), np.array(number)))
    assert 0 <= bound <= right / number
    assert right / number - bound == pytest.approx(Z * (bound * (1 - bound) / number) ** 0.5, abs=1e-6)


def test_the_bound_of_a_case_done_by_hand() -> None:
    # (0.8 + 0.01353 - 1.645 sqrt(0.0016 + 0.0000676)) / 1.02706
    assert float(lower_bound(np.array(80), np.array(100))) == pytest.approx(0.7267, abs=1e-3)
    assert Z == 1.645


def test_the_log_says_what_will_be_asked() -> None:
    assert in_words(NOTHING_IS_SURE, 0.0, 0.7).endswith("every answer asks for a person")
    assert "below a confidence of 0.612; 14.2% of the validation photos stand" in in_words(0.612, 0.1419, 0.7)
