"""Augmentation that cannot lose an item: nothing is cropped, ever.

Mirroring, an affine map under which the whole frame stays inside the picture (it may shrink, turn and shift, with a
filled border), and colour jitter. What is drawn depends on (seed, epoch, photo) alone, through a counter-based
generator (Philox: Salmon et al., 2011), so that neither resuming nor the number of processes changes it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels = npt.NDArray[np.uint8]

MAX_SHRINK = 0.25  # at strength 1: the frame keeps at least 75 % of the side
MAX_DEGREES = 15.0
MAX_COLOUR = 0.4
FILL = (124, 116, 104)  # ImageNet's mean: nearly zero after normalisation


@dataclass(frozen=True)
class Draw:
    """What happens to one photo. `scale` is of the frame's side; shifts are in sides, from the centre."""

    mirror: bool = False
    scale: float = 1.0
    degrees: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0
    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0


def draw(seed: int, epoch: int, index: int, strength: float) -> Draw:
    """Draw the augmentation of a photo (by its index in the training set) in an epoch.

    Args:
        seed: of the run.
        epoch: from 0.
        index: of the photo.
        strength: 0 (none) to 1.
    """
    if not strength:
        return Draw()
    generator = np.random.Generator(np.random.Philox(key=[seed, epoch], counter=[0, 0, 0, index + 1]))
    mirror, shrink, turn, x, y, bright, contrast, colour = generator.random(8)
    degrees = (2 * turn - 1) * MAX_DEGREES * strength
    radians = math.radians(abs(degrees))
    extent = math.cos(radians) + math.sin(radians)  # bounding square of a unit square, turned
    scale = min(1 - shrink * MAX_SHRINK * strength, 1 / extent)
    margin = (1 - scale * extent) / 2
    return Draw(
        mirror=bool(mirror < 0.5),
        scale=scale,
        degrees=degrees,
        shift_x=(2 * x - 1) * margin,
        shift_y=(2 * y - 1) * margin,
        brightness=1 + (2 * bright - 1) * MAX_COLOUR * strength,
        contrast=1 + (2 * contrast - 1) * MAX_COLOUR * strength,
        saturation=1 + (2 * colour - 1) * MAX_COLOUR * strength,
    )


def inverse_affine(what: Draw, size: int) -> tuple[float, float, float, float, float, float]:
    """Return (a, b, c, d, e, f): the source pixel of output (x, y) is (ax + by + c, dx + ey + f), as Pillow wants it.

    Args:
        what: the draw.
        size: side of the picture, pixels.
    """
    radians = math.radians(what.degrees)
    cosine, sine = math.cos(radians) / what.scale, math.sin(radians) / what.scale
    centre = size / 2
    x, y = centre + what.shift_x * size, centre + what.shift_y * size
    row = (cosine, sine, centre - cosine * x - sine * y)
    if what.mirror:
        row = (-row[0], -row[1], size - row[2])
    return (*row, -sine, cosine, centre + sine * x - cosine * y)


def apply(pixels: Pixels, what: Draw) -> Pixels:
    """Apply a draw to a photo: uint8 [size, size, 3] to the same."""
    if what == Draw():
        return pixels
    image = Image.fromarray(pixels).transform(
        (pixels.shape[1], pixels.shape[0]),
        Image.Transform.AFFINE,
        inverse_affine(what, pixels.shape[0]),
        Image.Resampling.BILINEAR,
        fillcolor=FILL,
    )
    return _colours(np.asarray(image), what)


def _colours(pixels: Pixels, what: Draw) -> Pixels:
    """Brightness, contrast about the mean, saturation about the grey value (Rec. 601), in one pass."""
    values = pixels.astype(np.float32)
    grey = values @ np.array([0.299, 0.587, 0.114], np.float32)
    values *= what.saturation
    values += (1 - what.saturation) * grey[..., None]
    values *= what.contrast * what.brightness
    values += (1 - what.contrast) * what.brightness * float(grey.mean())
    return np.clip(values, 0, 255, out=values).astype(np.uint8)
