"""A border around the photos that do not train, because augmentation leaves one around all that do.

It shrinks, turns and shifts the whole frame inside the picture and fills the rest. A net that has never seen a photo
reach the picture's edges counts worse where it does: docs/experiments.md has the figures. So validation, teachers and
the endpoint give the photo the size that augmentation leaves it on average, in the same fill. The model itself adds the
border: whoever calls it passes photos as ever.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from steps.train.augment import FILL

SHARE = 14  # of the photo's side, on each of the four, at strength 1: 7/8 of the picture is the photo


def width(image_size: int, augment: float) -> int:
    """Return the pixels of the border on each side.

    Args:
        image_size: side of the photo, pixels.
        augment: strength, 0 to 1, which the border grows with as augmentation's own does.
    """
    return round(image_size * augment / SHARE)


def picture(image_size: int, augment: float) -> int:
    """Return the side of the pictures that train, pixels: as large as a photo with its border."""
    return image_size + 2 * width(image_size, augment)


def surround(pixels: torch.Tensor, pixels_wide: int) -> torch.Tensor:
    """Put photos, float32 [n, 3, size, size] in 0 to 255, into the fill of augmentation."""
    fill = torch.tensor(FILL, dtype=pixels.dtype, device=pixels.device).reshape(1, 3, 1, 1)
    return functional.pad(pixels - fill, [pixels_wide] * 4) + fill
