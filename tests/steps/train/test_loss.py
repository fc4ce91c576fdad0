from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from steps.common.labels import CLASSES
from steps.train.loss import blend, class_weights, loss_sum, soft_targets


@given(st.floats(0.1, 5))
def test_soft_targets_are_ordered_distributions(sigma: float) -> None:
    targets = soft_targets(sigma, CLASSES).double()
    assert torch.allclose(targets.sum(dim=1), torch.ones(CLASSES, dtype=torch.float64))
    assert targets.argmax(dim=1).tolist() == list(range(CLASSES))
    assert (targets[0].diff() <= 0).all()


def test_no_sigma_is_one_hot() -> None:
    assert torch.equal(soft_targets(0, CLASSES), torch.eye(CLASSES))


def test_the_gaussian_is_the_formula_s() -> None:
    row = soft_targets(0.5, CLASSES)[2]
    assert row[1] / row[2] == pytest.approx(np.exp(-2))


@given(st.lists(st.integers(0, CLASSES - 1), min_size=1, max_size=200), st.floats(0, 1))
def test_class_weights_average_to_one_over_the_photos(labels: list[int], balance: float) -> None:
    weights = class_weights(np.array(labels), balance, CLASSES)
    assert weights[torch.tensor(labels)].double().mean() == pytest.approx(1, rel=1e-4)


def test_full_balance_gives_each_class_the_same_sum() -> None:
    labels = np.array([0] * 8 + [1] * 4 + [2] * 2 + [3] * 2 + [4] * 1)
    sums = class_weights(labels, 1.0, CLASSES).double().numpy() * np.bincount(labels)
    assert sums == pytest.approx(np.full(CLASSES, sums[0]))


def test_parts_of_a_batch_add_up_to_the_batch() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(9, CLASSES, generator=generator)
    labels = torch.randint(0, CLASSES, (9,), generator=generator)
    weights, targets = class_weights(labels.numpy(), 0.7, CLASSES)[labels], soft_targets(0.6, CLASSES)[labels]
    parts = sum(loss_sum(logits[part::2], targets[part::2], weights[part::2]) for part in range(2))
    assert parts == pytest.approx(float(loss_sum(logits, targets, weights)))


def test_the_loss_is_least_at_its_targets() -> None:
    targets = soft_targets(0.6, CLASSES)
    at_least = loss_sum(targets.log(), targets, torch.ones(CLASSES))
    assert at_least == pytest.approx(float(-(targets * targets.log()).sum()), rel=1e-5)
    assert loss_sum(targets.flip(1).log(), targets, torch.ones(CLASSES)) > at_least


@given(st.floats(0, 1))
def test_teachers_have_their_share_where_they_answered(weight: float) -> None:
    targets, answers = torch.eye(3), torch.tensor([[0.2, 0.8, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    blended = blend(targets, answers, weight)
    assert blended.sum(dim=1).tolist() == pytest.approx([1, 1, 1])
    assert blended[0].tolist() == pytest.approx([1 - 0.8 * weight, 0.8 * weight, 0], abs=1e-6)
    assert blended[1].tolist() == [0, 1, 0]
