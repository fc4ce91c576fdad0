from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from steps.common.decision import decide
from steps.evaluate.selection import STEPS, coverage_curve


@given(st.integers(1, 90), st.data())
def test_a_point_scores_all_answers_of_its_confidence_and_more(photos: int, data: st.DataObject) -> None:
    raw = data.draw(arrays.arrays(np.float64, (photos, 5), elements=st.integers(1, 4).map(float)))
    probabilities = raw / raw.sum(axis=1, keepdims=True)
    true = data.draw(arrays.arrays(np.int64, photos, elements=st.integers(0, 4)))
    predicted, confidence = decide(probabilities, data.draw(st.sampled_from([0.0, 0.2])))
    curve = coverage_curve(true, predicted, confidence)
    error = np.abs(predicted - true)
    for point in curve:
        stands = confidence >= point["confidence"]
        assert point["coverage"] == pytest.approx(stands.mean())
        assert point["accuracy"] == pytest.approx((error[stands] == 0).mean())
        assert point["within_one_accuracy"] == pytest.approx((error[stands] <= 1).mean())
    shares = [point["coverage"] for point in curve]
    assert shares == sorted(set(shares))
    assert shares[-1] == 1
    assert len(curve) <= STEPS


def test_points_are_five_percent_apart() -> None:
    sure = np.linspace(0.99, 0.5, 100)
    curve = coverage_curve(np.zeros(100, np.int64), np.zeros(100, np.int64), sure)
    assert [point["coverage"] for point in curve] == pytest.approx([step / 20 for step in range(1, 21)])
    assert curve[0]["confidence"] == sure[4]
