"""The exponential moving average of the weights, which is what is validated and served."""

from __future__ import annotations

import copy

import torch
from torch import nn


class Average:
    """A copy of a model, `module`, whose weights and batch statistics follow those of the original.

    The decay at step n is min(decay, (1 + n) / (10 + n)), so that short runs are averaged too and the random start is
    soon forgotten. Source: TensorFlow's ExponentialMovingAverage with num_updates.

    Args:
        model: what is trained.
        decay: 0 (the average is the model itself) to just below 1.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(model).eval().requires_grad_(False)
        self._decay = decay
        self._averages, self._currents = _tensors(self.module), _tensors(model)

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Follow the model after a step (from 0)."""
        decay = min(self._decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._averages, self._currents, 1 - decay)


def _tensors(model: nn.Module) -> list[torch.Tensor]:
    """Return weights and floating-point buffers; counters of batch normalisation are of no use to the average."""
    state = (tensor for _, tensor in sorted(model.state_dict().items()))
    return [tensor for tensor in state if tensor.is_floating_point()]
