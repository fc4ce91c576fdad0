from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from steps.train.schedule import FLOOR, learning_rate


def test_it_rises_to_the_peak_and_falls_to_the_floor() -> None:
    rates = [learning_rate(step, 100, 10, 0.5) for step in range(100)]
    assert rates[:11] == sorted(rates[:11])
    assert rates[10] == max(rates) == 0.5
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[10:]))
    assert rates[-1] < 0.5 * FLOOR * 1.1


@given(st.integers(1, 300), st.integers(0, 400), st.data())
def test_it_is_positive_and_at_most_the_peak(steps: int, warmup: int, data: st.DataObject) -> None:
    step = data.draw(st.integers(0, steps - 1))
    assert 0 < learning_rate(step, steps, warmup, 0.1) <= 0.1
