"""What is done to one photo: read, hashed for near duplicates, resized and encoded once."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import numpy as np
from PIL import Image

from steps.common.images import NotAPictureError, PhotoError, TooLargeError, decode

MAX_BYTES = 64 * 2**20
JPEG_QUALITY = 92
HASH_SIDE = 64  # imagehash works on 32 x 32


class UnreadableError(PhotoError):
    """The file cannot be read."""

    reason = "unreadable"


def read_photo(path: Path) -> bytes:
    """Return the bytes of a photo.

    Raises:
        UnreadableError, NotAPictureError, TooLargeError: no plain file, empty, or over 64 MiB.
    """
    try:
        facts = path.stat()
        if not stat.S_ISREG(facts.st_mode):  # a pipe would be waited for without end
            raise NotAPictureError("not a plain file")
        if facts.st_size > MAX_BYTES:
            raise TooLargeError(f"the file has more than {MAX_BYTES} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise UnreadableError(os.strerror(error.errno) if error.errno else "cannot be read") from None
    if not data:
        raise NotAPictureError("the file is empty")
    return data


def picture_hash(data: bytes) -> int:
    """Return the 64-bit perceptual hash (DCT of 32 x 32 grey levels) of a photo.

    Raises:
        PhotoError: see `decode`.
    """
    import imagehash  # slow to import, and not needed where all photos have records

    bits = imagehash.phash(decode(data, at_least=HASH_SIDE)).hash
    return int.from_bytes(np.packbits(bits).tobytes(), "big")


def target_size(width: int, height: int, size: int, side: str) -> tuple[int, int]:
    """Return the size in pixels at which the short or long side is `size`: never larger than it was, never below 1."""
    scale = min(1.0, size / (min(width, height) if side == "short" else max(width, height)))
    return max(1, round(width * scale)), max(1, round(height * scale))


def render(data: bytes, size: int, side: str) -> bytes:
    """Return the whole frame of a photo, upright, at its target size, as JPEG.

    Raises:
        PhotoError: see `decode`.
    """
    image = decode(data, at_least=size)
    target = target_size(*image.size, size, side)
    if target != image.size:
        # HAMMING is nearly as sharp as LANCZOS, in half of the time; the photo is at most 1.25 times too large mostly.
        image = image.resize(target, Image.Resampling.HAMMING, reducing_gap=3.0)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
