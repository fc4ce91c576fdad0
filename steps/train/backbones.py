"""The backbones by name, and the model that takes photos as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from steps.common.artifact import Normalization
from steps.train.border import surround
from steps.train.classes import SERVED, Classes

IMAGENET = Normalization(mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375))
LITE = Normalization(mean=(127.0, 127.0, 127.0), std=(128.0, 128.0, 128.0))
# Torch's default. Several backbones come with 0.01, made for a million steps: after the few hundred of a fine-tuning
# their running statistics would still be those of other pictures, and the model fail once it is not training.
BATCHNORM_MOMENTUM = 0.1

Builder = Callable[[str, float, float, int, int], nn.Module]


@dataclass(frozen=True)
class Family:
    """What a family's backbones share. `head` starts the names of the weights that depend on the classes."""

    build: Builder
    head: str
    normalization: Normalization
    has_drop_path: bool = False


class PhotoClassifier(nn.Module):
    """A backbone with its normalisation: uint8 photos [n, size, size, 3] (RGB) in, logits [n, classes] out.

    While it trains the outputs are those of the whole head, otherwise the logits of the counts that are served, and the
    photos get the border that augmentation leaves around those that train (see `steps.train.border`).

    The permutation gives channels_last memory as it is: no copy.
    """

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(
        self, backbone: nn.Module, normalization: Normalization, classes: Classes = SERVED, border: int = 0
    ) -> None:
        super().__init__()
        self.backbone, self._classes, self._border = backbone, classes, border
        for name, values in (("mean", normalization.mean), ("std", normalization.std)):
            self.register_buffer(name, torch.tensor(values).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, photos: torch.Tensor) -> torch.Tensor:
        """Count."""
        pixels = photos.permute(0, 3, 1, 2).to(torch.float32)
        if self._border and not self.training:
            pixels = surround(pixels, self._border)
        logits: torch.Tensor = self.backbone((pixels - self.mean) / self.std)
        return logits if self.training or self._classes == SERVED else logits[:, self._classes.served]


def build(
    name: str, dropout: float, drop_path: float, image_size: int, classes: Classes = SERVED, border: int = 0
) -> PhotoClassifier:
    """Build a backbone from scratch (the current random state), with a head for the classes.

    Args:
        name: of `FAMILIES`.
        dropout: before the head, 0 to 1.
        drop_path: stochastic depth's highest rate; ignored by families without it.
        image_size: side of the photos that are served, pixels.
        classes: that training tells apart.
        border: pixels on each side of a photo that does not train.
    """
    family = FAMILIES[name]
    backbone = family.build(name, dropout, drop_path, image_size + 2 * border, classes.outputs)
    for module in backbone.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = BATCHNORM_MOMENTUM
    return PhotoClassifier(backbone, family.normalization, classes, border)


def freeze_batchnorm(model: nn.Module) -> None:
    """Keep batch statistics as they are while the rest trains (their scale and shift still do)."""
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()


def _lite(name: str, dropout: float, drop_path: float, image_size: int, classes: int) -> nn.Module:
    from efficientnet_lite_pytorch import EfficientNet

    model: nn.Module = EfficientNet.from_name(
        name.replace("_", "-"),
        num_classes=classes,
        image_size=image_size,
        dropout_rate=dropout,
        drop_connect_rate=drop_path,
        batch_norm_momentum=0.9,  # 0.1 in torch's terms; the package's 0.99 needs thousands of steps to leave ImageNet
    )
    for module in model.modules():
        padding = getattr(module, "static_padding", None)
        if isinstance(module, nn.Conv2d) and isinstance(padding, nn.ZeroPad2d) and len(set(padding.padding)) == 1:
            # The same on all sides: the convolution pads by itself, without a copy of the picture.
            module.padding, module.static_padding = (padding.padding[0],) * 2, nn.Identity()
    return model


def _torchvision(name: str, classes: int, **options: Any) -> nn.Module:  # noqa: ANN401
    # Imported late: torchvision takes seconds, and the default backbone does without it.
    from torchvision.models import get_model

    model: nn.Module = get_model(name, weights=None, num_classes=classes, **options)
    return model


def _resnet(name: str, dropout: float, _drop_path: float, _image_size: int, classes: int) -> nn.Module:
    model: Any = _torchvision(name, classes)
    if dropout:
        model.avgpool = nn.Sequential(model.avgpool, nn.Dropout(dropout))  # before the head, whose name stays `fc`
    return model  # type: ignore[no-any-return]


def _mobilenet(name: str, dropout: float, _drop_path: float, _image_size: int, classes: int) -> nn.Module:
    return _torchvision(name, classes, dropout=dropout)


def _efficientnet_v2(name: str, dropout: float, drop_path: float, _image_size: int, classes: int) -> nn.Module:
    return _torchvision(name, classes, dropout=dropout, stochastic_depth_prob=drop_path)


def _convnext(name: str, dropout: float, drop_path: float, _image_size: int, classes: int) -> nn.Module:
    model: Any = _torchvision(name, classes, stochastic_depth_prob=drop_path)
    if dropout:
        model.classifier[1] = nn.Sequential(model.classifier[1], nn.Dropout(dropout))  # Flatten has no weights
    return model  # type: ignore[no-any-return]


_LITE = Family(_lite, "_fc.", LITE, has_drop_path=True)
_RESNET = Family(_resnet, "fc.", IMAGENET)

FAMILIES: dict[str, Family] = {
    "efficientnet_lite0": _LITE,
    "efficientnet_lite1": _LITE,
    "efficientnet_lite2": _LITE,
    "resnet18": _RESNET,
    "resnet34": _RESNET,
    "resnet50": _RESNET,
    "efficientnet_v2_s": Family(_efficientnet_v2, "classifier.1.", IMAGENET, has_drop_path=True),
    "convnext_tiny": Family(_convnext, "classifier.2.", IMAGENET, has_drop_path=True),
    "mobilenet_v3_large": Family(_mobilenet, "classifier.3.", IMAGENET),
}
