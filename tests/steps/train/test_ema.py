from __future__ import annotations

import pytest
import torch
from torch import nn

from steps.train.ema import Average


def test_it_follows_weights_and_statistics_with_a_ramp() -> None:
    model = nn.BatchNorm1d(1)
    average = Average(model, 0.9)
    with torch.no_grad():
        model.weight.fill_(2.0)
        model.running_mean.fill_(1.0)  # type: ignore[union-attr]
    average.update(0)
    decay = 1 / 10
    assert float(average.module.weight) == pytest.approx(1 * decay + 2 * (1 - decay))  # type: ignore[arg-type]
    assert float(average.module.running_mean) == pytest.approx(1 - decay)  # type: ignore[arg-type]


def test_the_decay_is_at_most_what_was_asked() -> None:
    model = nn.Linear(1, 1, bias=False)
    average = Average(model, 0.9)
    with torch.no_grad():
        start = model.weight.item()
        model.weight.fill_(start + 1)
    average.update(10_000)
    assert float(average.module.weight) == pytest.approx(start + 0.1, abs=1e-6)  # type: ignore[arg-type]


def test_no_decay_is_the_model_itself() -> None:
    model = nn.Linear(2, 2)
    average = Average(model, 0.0)
    with torch.no_grad():
        model.weight.add_(1)
    average.update(50)
    assert torch.equal(average.module.weight, model.weight)  # type: ignore[arg-type]
