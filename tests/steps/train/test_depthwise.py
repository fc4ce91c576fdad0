from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from steps.train.backbones import build
from steps.train.depthwise import is_slow, mend


@pytest.mark.parametrize(
    ("channels", "groups", "kernel", "stride", "slow"),
    [(8, 8, 3, 2, True), (8, 8, 5, 1, True), (8, 8, 3, 1, False), (8, 1, 5, 2, False), (1, 1, 5, 2, False)],
)
def test_only_depthwise_layers_with_a_stride_or_a_large_kernel_are_slow(
    channels: int, groups: int, kernel: int, stride: int, slow: bool
) -> None:
    assert is_slow(nn.Conv2d(channels, 8, kernel, stride, groups=groups)) is slow


def test_a_mended_layer_computes_in_fp32_where_it_trains() -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(8, 8, 5, groups=8, bias=False)
    exact = copy.deepcopy(layer)
    mend(layer)
    pixels = torch.randn(2, 8, 9, 9).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(pixels)
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, exact(pixels.float()).bfloat16())


def test_a_mended_backbone_keeps_its_names_and_its_copy_its_own_weights() -> None:
    model = build("efficientnet_lite0", 0.0, 0.0, 32)
    names = list(model.state_dict())
    mend(model)
    assert list(model.state_dict()) == names
    other = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.zero_()
        photos = torch.randint(0, 256, (2, 32, 32, 3), dtype=torch.uint8)
    with torch.autocast("cpu", torch.bfloat16):
        assert not torch.equal(model.eval()(photos), other.eval()(photos))
        assert torch.equal(other(photos), torch.zeros(2, 5).bfloat16())
