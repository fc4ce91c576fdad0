"""Sharpness-aware steps: gradients are taken where the loss near the weights is highest.

Weights in a wide valley of the loss count new photos better than those at the bottom of a narrow one, where a few
thousand photos are learnt by heart. Source: Foret et al., Sharpness-Aware Minimization (2021). As there for several
accelerators, each process climbs by its own photos' gradient; by eight of them, which is a fraction of a step's cost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

CLIMBERS = 8  # photos: with few, each step climbs another way, and batch normalisation still has some to go by


@contextmanager
def uphill(model: nn.Module, radius: float, slope: Callable[[], object]) -> Iterator[None]:
    """Move the weights to where the loss is highest, inside the block; after it they are what they were, to the bit.

    Args:
        model: in training, without gradients.
        radius: of the neighbourhood, in the weights' own unit (rho of the paper); 0: nothing happens.
        slope: computes the gradients at the weights. Batch statistics do not learn from it.
    """
    if not radius:
        yield
        return
    with _same_batch_statistics(model):
        slope()
    weights: list[torch.Tensor] = [weight for weight in model.parameters() if weight.grad is not None]
    kept = [weight.detach().clone() for weight in weights]
    _climb(weights, radius)
    for weight in weights:
        weight.grad = None
    yield
    with torch.no_grad():
        torch._foreach_copy_(weights, kept)


@torch.no_grad()
def _climb(weights: list[torch.Tensor], radius: float) -> None:
    gradients = [weight.grad for weight in weights if weight.grad is not None]
    length = float(torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients))))
    if 0 < length < float("inf"):  # otherwise there is no direction: too flat, or fp16 has overflowed
        torch._foreach_add_(weights, gradients, alpha=radius / length)


@contextmanager
def _same_batch_statistics(model: nn.Module) -> Iterator[None]:
    norms = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    kept = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    yield
    for norm, momentum in zip(norms, kept, strict=True):
        norm.momentum = momentum
