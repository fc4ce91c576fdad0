from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from steps.train.augment import FILL, Draw, apply, draw
from steps.train.backbones import LITE, PhotoClassifier
from steps.train.border import surround, width


class Seen(nn.Module):
    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return pixels


@pytest.mark.parametrize(("size", "augment", "expected"), [(112, 1.0, 8), (224, 1.0, 16), (90, 0.5, 3), (112, 0.0, 0)])
def test_the_border_grows_with_photo_and_augmentation(size: int, augment: float, expected: int) -> None:
    assert width(size, augment) == expected


@pytest.mark.parametrize("strength", [0.5, 1.0])
def test_a_photo_is_as_large_in_its_border_as_those_that_train_are_on_average(strength: float) -> None:
    scales = [draw(0, epoch, index, strength).scale for epoch in range(4) for index in range(250)]
    photo = 112 / (112 + 2 * width(112, strength))
    assert photo == pytest.approx(np.mean(scales), abs=0.03)


def test_what_surrounds_a_photo_is_what_augmentation_fills_with() -> None:
    photos = torch.rand(2, 3, 4, 4) * 255
    picture = surround(photos, 2)
    assert picture.shape == (2, 3, 8, 8)
    torch.testing.assert_close(picture[:, :, 2:6, 2:6], photos)
    shrunk = apply(np.zeros((8, 8, 3), np.uint8), Draw(scale=0.5))
    assert picture[0, :, 0, 0].tolist() == shrunk[0, 0].tolist() == list(FILL)


def test_only_photos_that_do_not_train_get_it() -> None:
    model = PhotoClassifier(Seen(), LITE, border=1)
    photos = torch.full((1, 2, 2, 3), 127, dtype=torch.uint8)
    assert model.train()(photos).shape == (1, 3, 2, 2)
    seen = model.eval()(photos)
    assert seen.shape == (1, 3, 4, 4)
    torch.testing.assert_close(seen[0, :, 1:3, 1:3], torch.zeros(3, 2, 2))
    torch.testing.assert_close(seen[0, :, 0, 0], (torch.tensor(FILL) - 127.0) / 128.0)
