from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from sklearn import metrics as reference

from steps.common.decision import decide
from steps.evaluate.tally import (
    BESIDE,
    BINS,
    always_majority,
    calibration,
    confusion,
    expected_calibration_error,
    figures,
    tally_groups,
)

Floats = npt.NDArray[np.float64]
Case = tuple[npt.NDArray[np.int64], Floats, npt.NDArray[np.int64]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """True classes, probabilities and group numbers without gaps of 1 to 40 photos."""
    photos = draw(st.integers(1, 40))
    raw = draw(arrays.arrays(np.float64, (photos, 5), elements=st.floats(0.001, 1)))
    true = draw(arrays.arrays(np.int64, photos, elements=st.integers(0, 4)))
    groups = np.unique(draw(arrays.arrays(np.int64, photos, elements=st.integers(0, 9))), return_inverse=True)[1]
    return true, raw / raw.sum(axis=1, keepdims=True), groups


@given(cases())
def test_groups_add_up_to_the_whole(case: Case) -> None:
    true, probabilities, groups = case
    tallies = tally_groups(true, probabilities, groups, 0.5)
    alone = tally_groups(true, probabilities, np.zeros_like(groups), 0.5)
    assert len(tallies) == groups.max() + 1
    assert tallies.sum(axis=0) == pytest.approx(alone[0])
    matrix = reference.confusion_matrix(true, probabilities.argmax(axis=1), labels=range(5))
    assert (confusion(alone[0]) == matrix).all()


@given(cases())
def test_near_misses_may_count_when_an_answer_is_chosen(case: Case) -> None:
    true, probabilities, groups = case
    predicted, confidence = decide(probabilities, 0.2)
    tally = tally_groups(true, probabilities, groups, 0.5, 0.2).sum(axis=0)
    assert (confusion(tally) == reference.confusion_matrix(true, predicted, labels=range(5))).all()
    assert calibration(tally)[2].sum() == pytest.approx(confidence.sum())


@given(cases())
def test_figures_are_those_of_scikit_learn(case: Case) -> None:
    true, probabilities, groups = case
    predicted = probabilities.argmax(axis=1)
    result = figures(tally_groups(true, probabilities, groups, 0.5).sum(axis=0))
    for average in ("macro", "weighted"):
        for name in ("precision", "recall", "f1"):
            score = getattr(reference, f"{name}_score")(true, predicted, average=average, zero_division=0)
            assert result[f"{average}_{name}"] == pytest.approx(score)
    for name, beta in (("weighted_f0_5", 0.5), ("weighted_f2", 2.0)):
        score = reference.fbeta_score(true, predicted, beta=beta, average="weighted", zero_division=0)
        assert result[name] == pytest.approx(score)
    assert all(np.isfinite(value) for value in result.values())


@given(cases())
def test_calibration_error_lies_between_the_gap_of_means_and_one(case: Case) -> None:
    tally = tally_groups(*case, 0.5).sum(axis=0)
    error = expected_calibration_error(calibration(tally))
    true, probabilities, _ = case
    gap = abs((probabilities.argmax(axis=1) == true).mean() - probabilities.max(axis=1).mean())
    assert gap - 1e-9 <= error <= 1  # by the triangle inequality, bins can only make it larger


def test_calibration_error_of_a_case_done_by_hand() -> None:
    # two photos at 0.9 of which one is right (|0.5 - 0.9|), one at 0.6 that is right (|1 - 0.6|): all in all 0.4
    probabilities = np.array([[0.9, 0.1], [0.9, 0.1], [0.4, 0.6]])
    tally = tally_groups(np.array([0, 1, 1]), probabilities, np.array([0, 1, 2]), 0.5).sum(axis=0)
    assert expected_calibration_error(calibration(tally)) == pytest.approx(0.4)
    assert calibration(tally)[0].sum() == 3


@pytest.mark.parametrize(("confidence", "expected"), [(1.0, BINS - 1), (0.5, 7), (0.6001, 9), (0.5999, 8)])
def test_bins_are_of_equal_width(confidence: float, expected: int) -> None:
    tally = tally_groups(np.array([0]), np.array([[confidence, 1 - confidence]]), np.array([0]), 0.5)[0]
    assert calibration(tally)[0].argmax() == expected


def test_the_figures_agree_with_the_example_in_the_documentation_of_model_monitor() -> None:
    # "Model quality metrics and Amazon CloudWatch monitoring", SageMaker Developer Guide, multiclass metrics
    matrix = np.array([[1180, 510], [268, 138]])
    result = figures(np.concatenate([matrix.ravel(), np.zeros(BESIDE)]))
    documented = {
        "accuracy": 0.6288167938931297,
        "weighted_recall": 0.6288167938931297,
        "weighted_precision": 0.6983172269629505,
        "weighted_f0_5": 0.6803947317178771,
        "weighted_f1": 0.6571162346664904,
        "weighted_f2": 0.6384024354394601,
    }
    assert {name: result[name] for name in documented} == pytest.approx(documented)


def test_the_constant_answer_is_the_most_frequent_class() -> None:
    constant = always_majority(np.array([[1, 1, 0], [2, 0, 3], [0, 0, 1]]))
    assert constant.tolist() == [[0, 2, 0], [0, 5, 0], [0, 1, 0]]


@given(cases(), st.floats(0, 1.1))
def test_selective_scores_are_those_of_the_answers_that_stand(case: Case, threshold: float) -> None:
    true, probabilities, groups = case
    stands = probabilities.max(axis=1) >= threshold
    error = np.abs(probabilities.argmax(axis=1) - true)[stands]
    result = figures(tally_groups(true, probabilities, groups, threshold).sum(axis=0))
    assert result["coverage"] == pytest.approx(stands.mean())
    assert result["selective_accuracy"] == pytest.approx((error == 0).mean() if len(error) else 0)
    assert result["selective_within_one_accuracy"] == pytest.approx((error <= 1).mean() if len(error) else 0)
