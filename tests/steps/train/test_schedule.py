from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from steps.train.schedule import learning_rate


def test_it_rises_to_the_peak_and_falls_to_the_floor() -> None:
    rates = [learning_rate(step, 100, 10, 0.5, 0.3) for step in range(100)]
    assert rates[:11] == sorted(rates[:11])
    assert rates[10] == max(rates) == 0.5
    assert all(later < earlier for earlier, later in itertools.pairwise(rates[10:]))
    assert 0.5 * 0.3 < rates[-1] < 0.5 * 0.3 * 1.01


@given(st.integers(1, 300), st.integers(0, 400), st.floats(0, 1), st.data())
def test_it_is_positive_and_at_most_the_peak(steps: int, warmup: int, final: float, data: st.DataObject) -> None:
    step = data.draw(st.integers(0, steps - 1))
    assert 0 < learning_rate(step, steps, warmup, 0.1, final) <= 0.1
