"""Depthwise convolutions that oneDNN has no good bf16 backward pass for, computed in fp32.

Measured with torch 2.14 on one AVX-512 BF16 core, batch 32, EfficientNet-Lite0's own layers: with a stride of 2 the
gradient of the input takes 102 ms instead of 6 (96 channels, 48 x 48 pixels), with a kernel of 5 that of the weights 56
ms instead of 10 (672 channels, 6 x 6); every other layer gains by bf16. A step at 96 pixels is twice as fast by this.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

Forward = Callable[[torch.Tensor], torch.Tensor]


def mend(model: nn.Module) -> None:
    """Have these layers of a model that trains in bf16 on a CPU run in fp32; names and weights stay as they are."""
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and is_slow(module):
            module.forward = partial(_in_fp32, module.forward)  # type: ignore[method-assign]


def is_slow(convolution: nn.Conv2d) -> bool:
    """Return whether a convolution is one of those."""
    depthwise = convolution.groups == convolution.in_channels > 1
    return depthwise and (convolution.stride[0] > 1 or convolution.kernel_size[0] > 3)


def _in_fp32(forward: Forward, pixels: torch.Tensor) -> torch.Tensor:
    if not torch.is_grad_enabled():
        return forward(pixels)
    with torch.autocast("cpu", enabled=False):
        return forward(pixels.float()).to(pixels.dtype)
