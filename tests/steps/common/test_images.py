from __future__ import annotations

import contextlib
import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import simplejpeg
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from steps.common import images
from steps.common.images import NotAPictureError, PhotoError, TooLargeError, TruncatedError, decode, to_input

# Left half red, right half blue, 40 x 20.
PICTURE = Image.fromarray(np.repeat([[[255, 0, 0]] * 20 + [[0, 0, 255]] * 20], 20, axis=0).astype(np.uint8))
NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
def test_formats_decode_to_the_same_picture(form: str) -> None:
    image = decode(encoded(PICTURE, form))
    assert (image.mode, image.size) == ("RGB", (40, 20))
    red, _, blue = np.asarray(image)[10, 5].tolist()
    assert red > 200
    assert blue < 80


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_modes_become_rgb(mode: str) -> None:
    form = "JPEG" if mode == "CMYK" else "PNG"
    assert decode(encoded(PICTURE.convert(mode), form)).mode == "RGB"


def test_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    image = decode(encoded(PICTURE, "JPEG", exif=exif))
    assert image.size == (20, 40)
    assert np.asarray(image)[5, 10, 0] > 200  # red, once left, is on top


def test_transparent_pixels_are_white() -> None:
    clear = PICTURE.convert("RGBA")
    clear.putalpha(0)
    assert np.asarray(decode(encoded(clear))).min() == 255


def test_sixteen_bit_levels_are_scaled() -> None:
    levels = np.full((8, 8), 32768, dtype=np.uint16)
    assert set(np.asarray(decode(encoded(Image.fromarray(levels)))).ravel().tolist()) <= {127, 128}


def test_first_frame_of_an_animation() -> None:
    data = encoded(PICTURE, "GIF", save_all=True, append_images=[PICTURE.rotate(180)])
    assert np.asarray(decode(data))[10, 5, 0] > 200


def test_jpeg_decodes_smaller_but_never_below_what_is_needed() -> None:
    large = encoded(PICTURE.resize((1600, 800)), "JPEG")
    assert decode(large, at_least=100).size == (200, 100)
    assert decode(large, at_least=101).size == (400, 200)
    assert decode(large, at_least=201).size == (600, 300)
    assert decode(large, at_least=601).size == (1600, 800)  # 7/8 would cost more than it saves
    assert decode(large).size == (1600, 800)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}])
def test_a_jpeg_that_is_decoded_smaller_shows_the_same(options: dict[str, Any]) -> None:
    large = PICTURE.resize((1600, 800), Image.Resampling.BICUBIC)
    smaller = decode(encoded(large, "JPEG", quality=95, **options), at_least=300)
    expected = np.asarray(large.resize((600, 300), Image.Resampling.BOX), dtype=np.int16)
    assert smaller.size == (600, 300)
    assert np.abs(np.asarray(smaller) - expected).mean() < 2


def test_a_jpeg_that_is_turned_or_gray_is_decoded_smaller_by_pillow() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode(encoded(PICTURE.resize((1600, 800)), "JPEG", exif=exif), at_least=300).size == (400, 800)
    gray = decode(encoded(PICTURE.resize((1600, 800)).convert("L"), "JPEG"), at_least=300)
    assert (gray.size, gray.mode) == ((800, 400), "RGB")


def test_a_jpeg_that_only_one_decoder_minds_is_taken() -> None:
    data = encoded(NOISE.resize((800, 800)), "JPEG")
    scan = data.index(b"\xff\xda") + 500
    stray = data[:scan] + b"\xff\xd0" + data[scan:]  # a restart that nobody announced: a warning, not an error
    with pytest.raises(ValueError):
        simplejpeg.decode_jpeg(stray)
    assert min(decode(stray, at_least=300).size) >= 300


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_files_that_end_early_are_truncated(form: str, share: float) -> None:
    data = encoded(NOISE, form)
    with pytest.raises(TruncatedError):
        decode(data[: int(len(data) * share)], at_least=16)


@pytest.mark.parametrize("options", [{"form": "PNG"}, {"form": "JPEG"}, {"form": "JPEG", "progressive": True}])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.95])
def test_files_that_end_in_zeros_are_truncated(options: dict[str, Any], share: float) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a segment before the scan \xff\xd9"
    data = encoded(NOISE, exif=exif, **options)
    cut = int(len(data) * share)
    with pytest.raises(TruncatedError):
        decode(data[:cut] + bytes(len(data) - cut), at_least=16)
    assert decode(data + bytes(100)).size == NOISE.size


@pytest.mark.parametrize("data", [b"", b"hello", b"<html>", b"<svg/>", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"\0" * 500])
def test_other_bytes_are_no_picture(data: bytes) -> None:
    with pytest.raises(NotAPictureError):
        decode(data)


@pytest.mark.parametrize("size", [(60_000, 60_000), (10_000, 10_000), (8_000, 8_000), (20_001, 1)])
@pytest.mark.filterwarnings("ignore")
def test_bombs_are_refused_before_decoding(size: tuple[int, int]) -> None:
    with pytest.raises(TooLargeError):
        decode(png_of_size(*size))


def test_bombs_are_refused_where_warnings_are_errors_too() -> None:
    with pytest.raises(TooLargeError):
        decode(png_of_size(10_000, 10_000))


@given(st.binary(max_size=200), st.sampled_from([b"", *images._SIGNATURES]))
def test_any_bytes_raise_only_photo_errors(data: bytes, signature: bytes) -> None:
    with pytest.raises(PhotoError):
        decode(signature + data)


@given(st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "TIFF"]))
@pytest.mark.filterwarnings("ignore")
def test_a_damaged_byte_never_raises_anything_else(place: int, value: int, form: str) -> None:
    data = bytearray(encoded(PICTURE, form))
    data[place % len(data)] = value
    with contextlib.suppress(PhotoError):
        assert decode(bytes(data)).mode == "RGB"


def test_to_input_squeezes_the_whole_frame() -> None:
    array = to_input(PICTURE, 10)
    assert array.shape == (10, 10, 3)
    assert array.dtype.name == "uint8"
    assert array[5, 0].tolist() == [255, 0, 0]
    assert array[5, 9].tolist() == [0, 0, 255]
