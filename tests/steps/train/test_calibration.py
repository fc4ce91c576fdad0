from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from steps.common.labels import CLASSES
from steps.train.calibration import SCALES, Calibration, fit
from steps.train.validation import cross_entropy

Case = tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]
SHIFT = np.array([0.4, -0.2, 0.0, -0.3, 0.1])


def drawn(scale: float, shift: npt.NDArray[np.float64]) -> Case:
    """Draw logits and labels that follow exactly softmax(logits), then blow the logits up and shift them."""
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 1.5, (4000, CLASSES))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (chances.cumsum(axis=1) < generator.random((4000, 1))).sum(axis=1)
    return (logits - shift) * scale, labels.astype(np.int64)


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_it_undoes_a_known_scale_and_shift(scale: float) -> None:
    found = fit(*drawn(scale, SHIFT))
    assert found.temperature == pytest.approx(scale, rel=0.08)
    assert np.array(found.class_bias) == pytest.approx(SHIFT, abs=0.15)


def test_it_is_at_a_minimum() -> None:
    logits, labels = drawn(2.0, SHIFT)
    found = fit(logits, labels)
    best = cross_entropy(found.apply(logits), labels)
    for factor in (0.97, 1.03):
        assert cross_entropy(Calibration(found.temperature * factor, found.class_bias).apply(logits), labels) > best
    for index in range(CLASSES):
        for step in (-0.05, 0.05):
            bias = tuple(value + step * (at == index) for at, value in enumerate(found.class_bias))
            assert cross_entropy(Calibration(found.temperature, bias).apply(logits), labels) > best


@given(st.integers(1, 30), st.data())
def test_a_few_photos_move_it_little_whatever_they_say(photos: int, data: st.DataObject) -> None:
    logits = data.draw(arrays.arrays(np.float32, (photos, CLASSES), elements=st.floats(-50, 50, width=32)))
    labels = data.draw(arrays.arrays(np.int64, photos, elements=st.integers(0, CLASSES - 1)))
    found = fit(logits, labels)
    assert SCALES[0] <= found.temperature <= SCALES[1]
    assert max(map(abs, found.class_bias)) <= 0.3**2 * photos  # where the gradient of one photo, at most 1, is met
    assert sum(found.class_bias) == pytest.approx(0, abs=1e-3)


def test_answers_that_are_all_right_do_not_make_it_certain_at_once() -> None:
    logits = np.eye(CLASSES, dtype=np.float32)
    found = fit(logits, np.arange(CLASSES))
    assert 0.1 < found.temperature < 1
    assert found.class_bias == pytest.approx([0] * CLASSES, abs=1e-6)


@pytest.mark.parametrize(("photos", "value"), [(2, np.nan), (2, np.inf), (0, 0.0)])
def test_logits_that_say_nothing_stay_as_they_are(photos: int, value: float) -> None:
    logits = np.full((photos, CLASSES), value)
    assert fit(logits, np.zeros(photos, np.int64)) == Calibration(1.0, (0.0,) * CLASSES)
