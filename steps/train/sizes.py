"""Progressive resizing: early epochs see small pictures, which cost a fraction; the last ones see them at full size.

What a net learns first (there is a box, there are books) shows in small pictures, too. Source: Tan and Le,
EfficientNetV2 (2021), where the pictures grow while training goes on.
"""

from __future__ import annotations

STEP = 32  # pixels: what the backbones halve five times over
GROWING = 0.6  # of the epochs; the rest are at full size, as the running statistics have to be those of its pictures


def side(epoch: int, epochs: int, start: int, full: int) -> int:
    """Return the side of the pictures of an epoch, pixels, a multiple of 32 until it is `full`.

    Args:
        epoch: from 0.
        epochs: how many there are to be.
        start: side in the first epoch, pixels; at `full` and above, and for 0, nothing grows.
        full: side in the last epochs, and of the model.
    """
    growing = int(epochs * GROWING)
    if not 0 < start < full or epoch >= growing:
        return full
    wanted = start + (full - start) * epoch / growing
    return min(full, max(1, round(wanted / STEP)) * STEP)
