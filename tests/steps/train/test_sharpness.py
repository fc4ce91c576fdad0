from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from steps.train.sharpness import uphill


def model() -> nn.Module:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))


def flat(model: nn.Module) -> torch.Tensor:
    return torch.cat([weight.detach().flatten() for weight in model.parameters()]).clone()


def slope(model: nn.Module) -> Callable[[], torch.Tensor]:
    photos = torch.randn(8, 3, generator=torch.Generator().manual_seed(2))

    def compute() -> torch.Tensor:
        loss: torch.Tensor = (model(photos) ** 2).mean()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss.detach()

    return compute


def test_inside_the_weights_are_a_radius_up_the_gradient_and_after_it_what_they_were() -> None:
    net = model()
    compute = slope(net)
    low = compute()
    gradient = torch.cat([weight.grad.flatten() for weight in net.parameters() if weight.grad is not None])
    net.zero_grad()
    before = flat(net)
    with uphill(net, 0.3, compute):
        assert all(weight.grad is None for weight in net.parameters())
        assert torch.allclose(flat(net) - before, 0.3 * gradient / gradient.norm(), atol=1e-6)
        assert compute() > low
    assert torch.equal(flat(net), before)
    assert all(weight.grad is not None for weight in net.parameters())


def test_batch_statistics_learn_nothing_from_the_slope() -> None:
    net = model()
    norm = net.get_submodule("1")
    compute = slope(net)
    mean = norm.get_buffer("running_mean").clone()
    with uphill(net, 0.3, compute):
        assert torch.equal(norm.get_buffer("running_mean"), mean)
        compute()
    assert not torch.equal(norm.get_buffer("running_mean"), mean)
    assert norm.momentum == 0.1


@pytest.mark.parametrize("value", [0.0, float("inf"), float("nan")])
def test_without_a_direction_the_weights_stay(value: float) -> None:
    net = model()
    before = flat(net)

    def strange() -> None:
        for weight in net.parameters():
            weight.grad = torch.full_like(weight, value)

    with uphill(net, 0.3, strange):
        assert torch.equal(flat(net), before)


def test_no_radius_costs_nothing() -> None:
    def never() -> None:
        raise AssertionError

    with uphill(model(), 0.0, never):
        pass
