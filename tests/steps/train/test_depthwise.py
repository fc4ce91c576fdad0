from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from steps.train.backbones import build
from steps.train.depthwise import is_mendable, mend


@pytest.mark.parametrize(
    ("channels", "groups", "kernel", "options", "expected"),
    [
        (32, 32, 3, {}, True),
        (32, 32, 5, {"stride": 2, "padding": 2}, True),
        (32, 1, 5, {}, False),
        (24, 24, 5, {}, False),
        (32, 32, 5, {"bias": True}, False),
        (32, 32, 5, {"dilation": 2}, False),
        (32, 32, (3, 5), {}, False),
        (32, 32, 5, {"padding": "same"}, False),
        (32, 32, 5, {"padding": 2, "padding_mode": "reflect"}, False),
    ],
)
def test_plain_depthwise_layers_in_whole_groups_are_mended(
    channels: int, groups: int, kernel: int, options: dict[str, object], expected: bool
) -> None:
    layer = nn.Conv2d(channels, channels, kernel, groups=groups, **{"bias": False, **options})  # type: ignore[arg-type]
    assert is_mendable(layer) is expected


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)])
@pytest.mark.parametrize("side", [9, 12])
def test_the_gradients_are_those_of_fp32_but_for_the_rounding(
    kernel: int, stride: int, padding: int, side: int
) -> None:
    torch.manual_seed(0)
    layer = nn.Conv2d(32, 32, kernel, stride, padding, groups=32, bias=False)
    exact = copy.deepcopy(layer)
    layer.to(memory_format=torch.channels_last)
    mend(layer)
    pixels = torch.randn(4, 32, side, side).bfloat16().to(memory_format=torch.channels_last).requires_grad_()
    wide = pixels.detach().float().requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        found = layer(pixels)
    expected = exact(wide)
    gradient = torch.randn_like(expected)
    found.backward(gradient.bfloat16())
    expected.backward(gradient)
    assert found.dtype == torch.bfloat16
    for got, want in ((found, expected), (pixels.grad, wide.grad), (layer.weight.grad, exact.weight.grad)):
        assert got is not None
        assert want is not None
        assert (got.float() - want).norm() < 0.01 * want.norm()
    assert layer.weight.grad is not None
    assert layer.weight.grad.stride() == layer.weight.stride()


def test_what_a_layer_pads_before_it_convolves_is_kept() -> None:
    model = build("efficientnet_lite0", 0.0, 0.0, 32)
    layer = next(
        each for each in model.modules() if isinstance(each, nn.Conv2d) and each.groups > 1 and each.stride[0] > 1
    )
    exact = copy.deepcopy(layer)
    mend(model)
    pixels = torch.randn(2, layer.in_channels, 16, 16)
    assert torch.equal(layer(pixels), exact(pixels)) is False  # rounded
    assert (layer(pixels).float() - exact(pixels)).abs().max() < 0.05 * exact(pixels).abs().max()


def test_without_gradients_a_mended_layer_is_as_it_was() -> None:
    layer = nn.Conv2d(32, 32, 5, groups=32, bias=False)
    exact = copy.deepcopy(layer)
    mend(layer)
    pixels = torch.randn(2, 32, 9, 9)
    with torch.no_grad():
        assert torch.equal(layer(pixels), exact(pixels))


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
