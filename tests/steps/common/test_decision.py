from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from steps.common.decision import decide, worth

Floats = npt.NDArray[np.float64]
TORN = np.array([[0.31, 0.0, 0.3, 0.29, 0.1]])  # 1, or 3 to 5


@st.composite
def beliefs(draw: st.DrawFn) -> Floats:
    """Probabilities of five counts, of 0 to 30 photos."""
    raw = draw(arrays.arrays(np.float64, (draw(st.integers(0, 30)), 5), elements=st.floats(0.001, 1)))
    return np.asarray(raw / raw.sum(axis=1, keepdims=True))


def test_a_neighbour_s_probability_counts_for_a_part() -> None:
    assert decide(TORN, 0.0)[0].tolist() == [0]
    chosen, confidence = decide(TORN, 0.2)
    assert (chosen.tolist(), confidence.tolist()) == ([3], [0.29])
    assert worth(TORN, 0.2)[0] == pytest.approx([0.31, 0.122, 0.358, 0.37, 0.158])


@given(beliefs())
def test_without_credit_it_is_the_most_probable_count(probabilities: Floats) -> None:
    chosen, confidence = decide(probabilities, 0.0)
    assert (chosen == probabilities.argmax(axis=1)).all()
    assert (confidence == probabilities.max(axis=1)).all()


@given(beliefs(), st.floats(0, 1))
def test_no_other_answer_is_expected_to_earn_more(probabilities: Floats, near: float) -> None:
    chosen, confidence = decide(probabilities, near)
    off = np.abs(np.subtract.outer(np.arange(5), np.arange(5)))
    earned = np.where(off == 0, 1.0, np.where(off == 1, near, 0.0))  # [answered, true]
    expected = probabilities @ earned.T
    assert np.take_along_axis(expected, chosen[:, None], 1)[:, 0] == pytest.approx(expected.max(axis=1, initial=0))
    assert (confidence == probabilities[np.arange(len(chosen)), chosen]).all()


@given(beliefs(), st.floats(0, 1))
def test_the_answer_is_the_same_counted_from_either_end(probabilities: Floats, near: float) -> None:
    assert worth(probabilities[:, ::-1], near)[:, ::-1] == pytest.approx(worth(probabilities, near))
