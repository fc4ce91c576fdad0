from __future__ import annotations

import numpy as np
import pytest

from steps.common.artifact import NOTHING_IS_SURE
from steps.common.decision import NEAR_CREDIT, decide
from steps.common.labels import CLASSES
from steps.train.validation import cross_entropy, score


def calibrated(
    scale: float,
) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float64]], np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """Draw logits and labels that follow exactly softmax(logits), then blow the logits up."""
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 2, (4000, CLASSES))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (chances.cumsum(axis=1) < generator.random((4000, 1))).sum(axis=1)
    return logits * scale, labels.astype(np.int64)


def test_large_logits_do_not_overflow() -> None:
    assert cross_entropy(np.array([[1000.0, 0, 0, 0, 0]]), np.array([0])) == pytest.approx(0)


def test_scores_are_those_of_the_confusion_matrix() -> None:
    logits = np.eye(CLASSES, dtype=np.float32)[[0, 1, 2, 3, 3]]
    scores = score(logits, np.arange(CLASSES), 0.0)
    assert scores.accuracy == pytest.approx(0.8)
    assert scores.mae == pytest.approx(0.2)
    assert scores.macro_f1 == pytest.approx((3 + 2 / 3) / 5)
    assert scores.loss < cross_entropy(logits, np.arange(CLASSES))  # calibrated on them


def test_the_loss_is_of_calibrated_answers_whatever_the_logits_scale() -> None:
    logits, labels = calibrated(1.0)
    blown_up = score((3 * logits).astype(np.float32), labels, 0.9)
    assert blown_up.loss == pytest.approx(score(logits.astype(np.float32), labels, 0.9).loss, rel=0.01)
    assert blown_up.loss == pytest.approx(cross_entropy(logits, labels), rel=0.01)
    assert cross_entropy(3 * logits, labels) > 1.2 * blown_up.loss


def test_the_threshold_is_of_the_confidence_as_it_is_served() -> None:
    logits, labels = calibrated(3.0)
    scores = score(logits.astype(np.float32), labels, 0.9)
    chances = np.exp(logits / scores.temperature + scores.class_bias)
    predicted, served = decide(chances / chances.sum(axis=1, keepdims=True), NEAR_CREDIT)
    stand = served >= scores.ask_below - 1e-6
    assert 0.2 < scores.coverage < 0.8
    assert stand.mean() == pytest.approx(scores.coverage, abs=1e-3)
    assert (predicted == labels)[stand].mean() == pytest.approx(0.92, abs=0.02)
    assert (predicted == labels)[~stand].mean() < 0.8


def test_the_scores_are_of_the_answers_that_are_served() -> None:
    """The most probable count is 1, and 4 is worth more: its neighbours are nearly as probable."""
    logits = np.log(np.array([[0.31, 0.01, 0.29, 0.3, 0.09]], np.float32)).repeat(20, axis=0)
    scores = score(logits, np.array([0] * 7 + [3] * 6 + [2] * 6 + [4]), 0.7)
    assert scores.accuracy == 6 / 20


def test_logits_that_are_no_numbers_are_sure_of_nothing() -> None:
    scores = score(np.full((2, CLASSES), np.nan, np.float32), np.array([0, 1]), 0.7)
    assert (scores.ask_below, scores.coverage) == (NOTHING_IS_SURE, 0)
