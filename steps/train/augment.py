"""Augmentation that loses no item: nothing is cropped, ever, and what is covered is smaller than nearly all items.

Mirroring, an affine map under which the whole frame stays inside the picture (it may shrink, turn and shift, with a
filled border), colour jitter, and a few small patches of one colour each (after Zhong et al., Random Erasing, 2020:
with them a few thousand photos are learnt by heart later).

What is drawn depends on (seed, epoch, photo) alone, through a counter-based generator (Philox: Salmon et al., 2011), so
that neither resuming nor the number of processes changes it.

A photo is resampled once, from the size that it was decoded at to the model's, and its colours are one affine map of
their channels: OpenCV does both many times faster than Pillow or arrays do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]

MAX_SHRINK = 0.25  # at strength 1: the frame keeps at least 75 % of the side
MAX_DEGREES = 15.0
MAX_COLOUR = 0.4
PATCHED = 0.5  # share of the photos with patches, at strength 1
MAX_PATCHES = 3
PATCH_SIDES = (0.05, 0.17)  # of the picture's side
FILL = (124, 116, 104)  # ImageNet's mean: nearly zero after normalisation
GREY = np.array([0.299, 0.587, 0.114])  # of red, green and blue: Rec. 601

cv2.setNumThreads(1)  # photos are prepared side by side, each by one thread


@dataclass(frozen=True)
class Patch:
    """A rectangle of one colour: its left upper corner and its sides in sides of the picture, red, green and blue."""

    left: float
    top: float
    width: float
    height: float
    colour: tuple[float, float, float]


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
    patches: tuple[Patch, ...] = ()


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
        patches=_draw_patches(generator, strength),
    )


def _draw_patches(generator: np.random.Generator, strength: float) -> tuple[Patch, ...]:
    if generator.random() >= PATCHED * strength:
        return ()
    found = []
    for _ in range(int(generator.integers(1, MAX_PATCHES + 1))):
        width, height = generator.uniform(*PATCH_SIDES, 2)
        left, top = generator.random(2) * (1 - width, 1 - height)
        red, green, blue = generator.uniform(0, 255, 3)
        found.append(Patch(left, top, width, height, (red, green, blue)))
    return tuple(found)


def inverse_affine(what: Draw, size: int) -> tuple[float, float, float, float, float, float]:
    """Return (a, b, c, d, e, f): the source of output (x, y) is (ax + by + c, dx + ey + f), from the upper left corner.

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


def apply(frame: Pixels, what: Draw, out: Pixels | None = None) -> Pixels:
    """Apply a draw to a photo: uint8 [height, width, 3] to `out`.

    Args:
        frame: the photo as decoded: at least about as large as `out`, and not much larger, as nothing smooths it.
        what: the draw.
        out: uint8 [size, size, 3], which the frame is squeezed to; a new one of the frame's shape unless given.
    """
    if out is None:
        out = np.empty_like(frame)
    warped = cv2.warpAffine(
        frame,
        _between_pixels(inverse_affine(what, out.shape[0]), frame, out),
        (out.shape[1], out.shape[0]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=FILL,
    )
    cv2.transform(warped, _colours(what, float(GREY @ cv2.mean(warped)[:3])), dst=out)
    for patch in what.patches:
        left, top = round(patch.left * out.shape[1]), round(patch.top * out.shape[0])
        right, bottom = left + round(patch.width * out.shape[1]), top + round(patch.height * out.shape[0])
        out[top:bottom, left:right] = patch.colour
    return out


def _between_pixels(row: tuple[float, ...], frame: Pixels, out: Pixels) -> npt.NDArray[np.float64]:
    """Return the map [2, 3] from out's pixels to the frame's: OpenCV counts from the first pixel's centre."""
    matrix = np.array(row).reshape(2, 3)
    matrix *= np.array([[frame.shape[1] / out.shape[1]], [frame.shape[0] / out.shape[0]]])
    matrix[:, 2] += (matrix[:, 0] + matrix[:, 1]) / 2 - 0.5
    return matrix


def _colours(what: Draw, grey: float) -> npt.NDArray[np.float32]:
    """Return brightness, contrast about the mean grey and saturation about each pixel's as one map of RGB: [3, 4]."""
    linear = what.saturation * np.eye(3) + (1 - what.saturation) * GREY
    offset = np.full((3, 1), (1 - what.contrast) * grey)
    return (what.brightness * np.hstack([what.contrast * linear, offset])).astype(np.float32)
