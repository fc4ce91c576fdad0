from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics as reference

from steps.common.metrics import (
    accuracy,
    confusion_matrix,
    macro,
    macro_f1,
    mean_absolute_error,
    per_class,
    root_mean_squared_error,
    within_one,
)

Indices = npt.NDArray[np.int64]
CLASSES = 5
pairs = st.lists(st.tuples(st.integers(0, CLASSES - 1), st.integers(0, CLASSES - 1)), min_size=1, max_size=60)


def columns(rows: list[tuple[int, int]]) -> tuple[Indices, Indices]:
    array = np.array(rows, dtype=np.int64)
    return array[:, 0], array[:, 1]


@given(pairs)
def test_scores_are_those_of_scikit_learn(rows: list[tuple[int, int]]) -> None:
    true, predicted = columns(rows)
    matrix = confusion_matrix(true, predicted, CLASSES)
    assert (matrix == reference.confusion_matrix(true, predicted, labels=range(CLASSES))).all()
    assert accuracy(matrix) == pytest.approx(reference.accuracy_score(true, predicted))
    assert macro_f1(matrix) == pytest.approx(reference.f1_score(true, predicted, average="macro", zero_division=0))
    assert mean_absolute_error(matrix) == pytest.approx(reference.mean_absolute_error(true, predicted))
    assert root_mean_squared_error(matrix) == pytest.approx(reference.root_mean_squared_error(true, predicted))
    assert within_one(matrix) == pytest.approx(np.mean(np.abs(true - predicted) <= 1))


@given(pairs)
def test_precision_recall_and_f1_of_each_class_are_those_of_scikit_learn(rows: list[tuple[int, int]]) -> None:
    true, predicted = columns(rows)
    scores = per_class(confusion_matrix(true, predicted, CLASSES))
    expected = reference.precision_recall_fscore_support(true, predicted, labels=range(CLASSES), zero_division=0)
    for name, values in zip(("precision", "recall", "f1"), expected, strict=False):
        assert scores[name] == pytest.approx(values)


@given(pairs)
def test_macro_means_are_those_of_scikit_learn(rows: list[tuple[int, int]]) -> None:
    true, predicted = columns(rows)
    means = macro(confusion_matrix(true, predicted, CLASSES))
    expected = reference.precision_recall_fscore_support(true, predicted, average="macro", zero_division=0)
    assert [means["precision"], means["recall"], means["f1"]] == pytest.approx(expected[:3])


@given(pairs, pairs)
def test_matrices_of_parts_add_up_to_the_matrix_of_the_whole(
    first: list[tuple[int, int]], second: list[tuple[int, int]]
) -> None:
    parts = confusion_matrix(*columns(first), CLASSES) + confusion_matrix(*columns(second), CLASSES)
    assert (parts == confusion_matrix(*columns(first + second), CLASSES)).all()


def test_no_photos_score_zero_and_not_nan() -> None:
    matrix = confusion_matrix(np.array([], dtype=np.int64), np.array([], dtype=np.int64), CLASSES)
    assert [score(matrix) for score in (accuracy, macro_f1, mean_absolute_error, within_one)] == [0, 0, 0, 0]
    assert root_mean_squared_error(matrix) == 0


@pytest.mark.parametrize(("true", "predicted"), [([0], [5]), ([-1], [4]), ([5], [0])])
def test_an_index_outside_the_classes_is_refused_and_not_counted_elsewhere(
    true: list[int], predicted: list[int]
) -> None:
    with pytest.raises(ValueError, match="outside 0 to 4"):
        confusion_matrix(np.array(true), np.array(predicted), CLASSES)
