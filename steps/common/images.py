"""Photos from bytes, the same way in every step and in the endpoint: the whole frame, upright, in RGB.

Inputs are hostile: only the formats listed here, limits on the pixels before anything is decoded, and whatever a
decoder raises becomes a PhotoError.
"""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

import simplejpeg
from PIL import Image, ImageFile, ImageOps, TiffImagePlugin

from steps.common.structure import MAX_SCANS, first_scan, is_laborious, is_scanned_too_often

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "MPO")
MAX_PIXELS = 50_000_000
MAX_SIDE = 20_000
MAX_TILES = 100_000  # strips or tiles of a TIFF: Pillow starts its decoder for each
MAX_RUN_LENGTH_BYTES = 2 * 2**20  # of a BMP with compression: Pillow decodes it in Python
# Others are of faxes and instruments, or long gone; libtiff writes to stderr for each faulty line of a fax.
TIFF_COMPRESSIONS = frozenset(
    {"raw", "tiff_lzw", "jpeg", "tiff_adobe_deflate", "tiff_deflate", "packbits", "lzma", "zstd", "webp"}
)
# Decoding at 7/8 takes longer than at full size, and bilinear resampling by so little loses nothing.
WORTH_SCALING = 1.25
_ROWS_PER_STRIP, _TILE_WIDTH, _TILE_HEIGHT, _STRIPS, _TILES = 278, 322, 323, 273, 324  # TIFF 6.0
# How files of these formats begin: what begins so and cannot be opened was a picture once.
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*")

# Pillow only warns where it should refuse; `decode` has limits of its own. Filtered here once and not around each call:
# catch_warnings() changes the whole process, and photos are decoded in threads.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


class PhotoError(Exception):
    """A photo that cannot be used; the message says why, with nothing of the decoder's inside."""

    reason = "unusable"


class NotAPictureError(PhotoError):
    """The bytes are no picture of a format that we take."""

    reason = "not a picture"


class TruncatedError(PhotoError):
    """The file is a picture, but ends early or is damaged."""

    reason = "truncated or damaged"


class TooLargeError(PhotoError):
    """More pixels, a longer side or more parts than is decoded."""

    reason = "too large"


def decode(data: bytes, at_least: int = 0) -> Image.Image:
    """Return the photo's first frame, upright (EXIF orientation) and in RGB.

    Args:
        data: the encoded file.
        at_least: shortest side in pixels that will be needed: a JPEG is then decoded at some eighths of its size, as
            long as no side falls below it, which saves most of the time. 0 decodes in full.

    Raises:
        NotAPictureError, TruncatedError, TooLargeError: see there.
    """
    image = _opened(data)
    if image.format == "JPEG" and _lacks_end(data):
        raise TruncatedError("the photo ends early or is damaged")
    if (scaled := _scaled(data, image, at_least)) is not None:
        return scaled
    try:
        if at_least:
            image.draft("RGB", (at_least, at_least))
        image.load()
        ImageOps.exif_transpose(image, in_place=True)  # otherwise it copies upright photos too
        return _to_rgb(image)
    except MemoryError:
        raise
    except Exception:  # decoders raise OSError, SyntaxError, ValueError, struct.error, EOFError, ...
        raise TruncatedError("the photo ends early or is damaged") from None


def _opened(data: bytes) -> ImageFile.ImageFile:
    """Read the head and check what it says; nothing is decoded yet. Raises as `decode` does."""
    if is_laborious(data):
        raise TooLargeError("the photo has too many parts")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooLargeError(f"the photo has more than {MAX_PIXELS} pixels") from None
    except Exception:
        if data.startswith(_SIGNATURES):
            raise TruncatedError("the photo ends early or is damaged") from None
        raise NotAPictureError(f"not one of the formats {', '.join(FORMATS)}") from None
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise TooLargeError(f"{width} x {height} is over {MAX_PIXELS} pixels or {MAX_SIDE} on a side")
    if min(width, height) < 1:
        raise TruncatedError("the photo has no pixels")
    if image.format == "TIFF" and image.info.get("compression") not in TIFF_COMPRESSIONS:
        raise NotAPictureError("a TIFF with a compression that photos do not have")
    if _has_too_many_parts(image, data):
        raise TooLargeError("the photo has too many parts")
    return image


def _has_too_many_parts(image: ImageFile.ImageFile, data: bytes) -> bool:
    """Tell whether decoding takes far more work than the picture's size says. Raises TruncatedError."""
    if image.format in ("JPEG", "MPO"):
        return is_scanned_too_often(data, image.width * image.height)
    run_lengths = [tile.codec_name for tile in image.tile[:1]] == ["bmp_rle"]
    if len(image.tile) > MAX_TILES or (run_lengths and len(data) > MAX_RUN_LENGTH_BYTES):
        return True
    return isinstance(image, TiffImagePlugin.TiffImageFile) and _is_laborious_tiff(image, data)


def _is_laborious_tiff(image: TiffImagePlugin.TiffImageFile, data: bytes) -> bool:
    """Tell whether libtiff decodes far more pixels than it shows: whole tiles, however little is seen of them.

    A few kilobytes can stand for millions of pixels, and for every tile of a picture. Raises TruncatedError.
    """
    tags, (width, height) = image.tag_v2, image.size
    try:
        wide, high = int(tags.get(_TILE_WIDTH, width)), int(tags.get(_TILE_HEIGHT, 0))
        high = high or min(int(tags.get(_ROWS_PER_STRIP, height)), height)
        parts = -(-width // wide) * -(-height // high)
        if image.info.get("compression") == "jpeg":
            places = tags.get(_TILES if _TILES in tags else _STRIPS, ())
            # Each is a JPEG of its own, in blocks of up to 16 rows, and in as few scans as it has colours.
            if len(set(places)) < len(places) or data.count(b"\xff\xda") > 4 * parts + MAX_SCANS:
                return True
            wide, high = -(-wide // 16) * 16, -(-high // 16) * 16
    except (TypeError, ValueError, ArithmeticError):
        raise TruncatedError("the photo ends early or is damaged") from None
    return parts * wide * high > 2 * MAX_PIXELS


def _scaled(data: bytes, image: Image.Image, at_least: int) -> Image.Image | None:
    """Decode an ordinary JPEG at 2/8, 3/8, ... of its size, where Pillow knows halves alone: less is left to resample.

    None leaves it to Pillow: what is no smaller, has metadata that may turn it, or is damaged.
    """
    plain = image.format == "JPEG" and image.mode == "RGB" and not {"exif", "xmp"} & image.info.keys()
    if not plain or not 0 < at_least * WORTH_SCALING <= min(image.size):
        return None
    try:
        pixels = decode_eighths(data, at_least)
    except ValueError:  # any warning of the decoder is one; Pillow knows which of them matter
        return None
    return Image.fromarray(pixels)


def decode_eighths(data: bytes, at_least: int) -> npt.NDArray[np.uint8]:
    """Return a JPEG's pixels [height, width, 3], at 1/8, 2/8, ... of its size where no side falls below `at_least`.

    Raises:
        ValueError: it is none, or damaged.
    """
    pixels: npt.NDArray[np.uint8] = simplejpeg.decode_jpeg(
        data, "RGB", min_height=at_least, min_width=at_least, min_factor=WORTH_SCALING
    )
    return pixels


def _lacks_end(data: bytes) -> bool:
    """Tell whether a JPEG has no end marker after its first scan: a failed copy that is filled with zeros.

    The decoder takes the zeros for pixels and returns half a photo.
    """
    start = first_scan(data)
    return start is not None and data.rfind(b"\xff\xd9", start) < 0  # backwards: where it is, it is at the end


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert as a viewer shows it: transparent pixels on white, 16-bit levels scaled to 8."""
    if image.mode in ("I", "I;16", "I;16B", "I;16L"):
        levels = image.convert("I")
        high = levels.getextrema()[1]
        top = 65535 if isinstance(high, int | float) and high > 255 else 255
        return levels.point(lambda level: level * (255 / top)).convert("L").convert("RGB")
    if image.has_transparency_data:
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
        shown = Image.new("RGB", rgba.size, "white")
        shown.paste(rgba, mask=rgba.getchannel("A"))
        return shown
    return image if image.mode == "RGB" else image.convert("RGB")


def to_input(image: Image.Image, size: int) -> npt.NDArray[np.uint8]:
    """Squeeze the whole frame (nothing is cropped) to the model's square input: uint8, shape [size, size, 3]."""
    import numpy as np

    if image.size != (size, size):
        image = image.resize((size, size), Image.Resampling.BILINEAR, reducing_gap=2.0)
    return np.asarray(image, dtype=np.uint8)
