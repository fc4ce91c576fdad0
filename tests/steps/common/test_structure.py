"""Files of few bytes or pixels that would keep a decoder busy for seconds to hours, unless they are refused first."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from steps.common import images
from steps.common.images import NotAPictureError, TooLargeError, TruncatedError, decode
from steps.common.structure import (
    MAX_PARTS,
    MAX_SCANNED,
    MAX_SCANS,
    first_scan,
    is_laborious,
    is_scanned_too_often,
)


def encoded(form: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 24), "gray").save(buffer, form, **options)
    return buffer.getvalue()


def segment(marker: int, content: bytes = b"") -> bytes:
    return struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


JPEG, PROGRESSIVE, PNG = encoded("JPEG"), encoded("JPEG", progressive=True), encoded("PNG")
IHDR_END = 33
LAST_SCAN = PROGRESSIVE[PROGRESSIVE.rindex(b"\xff\xda") : -2]  # of the luma's last bit: it can come again and again


def jpeg(*pieces: bytes) -> bytes:
    return JPEG[:2] + b"".join(pieces) + JPEG[2:]


def png(*chunks: bytes) -> bytes:
    return PNG[:IHDR_END] + b"".join(chunks) + PNG[IHDR_END:]


def progressive(scans: int, between: bytes = b"") -> bytes:
    return PROGRESSIVE[:-2] + (between + LAST_SCAN) * scans + PROGRESSIVE[-2:]


LABORIOUS = {
    "exif, joined anew with each piece": jpeg(*[segment(0xE1, b"Exif\0\0ab")] * MAX_PARTS),
    "empty segments": jpeg(*[segment(0xE5)] * MAX_PARTS),
    "segments shorter than their length": jpeg(*[b"\xff\xe5\0\0"] * MAX_PARTS),
    "empty tables": jpeg(*[segment(0xDB)] * MAX_PARTS),
    "fill bytes": jpeg(b"\xff" * MAX_PARTS),
    "stuffed bytes": jpeg(b"\xff\0" * MAX_PARTS),
    "junk": jpeg(segment(0xE5), b"\0" * MAX_PARTS),
    "starts of an image": jpeg(b"\xff\xd8" * MAX_PARTS),
    "behind a marker that has a length for nobody": jpeg(b"\xff\xf0\x7f\xff", *[segment(0xE5)] * MAX_PARTS),
    "scans": progressive(MAX_SCANS),
    "scans behind an end that is none": progressive(MAX_SCANS, segment(0xFE, b"\xff\xd9")),
    "segments between scans": progressive(1, segment(0xFE) * MAX_PARTS),
    "arithmetic coding": PROGRESSIVE.replace(b"\xff\xc2", b"\xff\xca"),
    "chunks": png(*[chunk(b"prVt")] * MAX_PARTS),
    "profiles, each inflated": png(*[chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(1000)))] * MAX_PARTS),
    "chunks behind the pixels": PNG[:-12] + chunk(b"prVt") * MAX_PARTS + PNG[-12:],
}


@pytest.mark.parametrize("name", LABORIOUS)
def test_files_of_many_parts_are_refused_before_a_decoder_sees_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "open", None)
    with pytest.raises(TooLargeError, match="too many parts"):
        decode(LABORIOUS[name])


@pytest.mark.parametrize(
    "data",
    [
        jpeg(*[segment(0xE1, b"Exif\0\0")] * (MAX_PARTS - 50)),
        jpeg(segment(0xE1, b"\xff\xda" * 1000)),  # a thumbnail's scans are none of the photo's
        jpeg(b"\xff\xff"),
        JPEG + b"\xff\xda" * 1000,  # a film behind the photo, as telephones append it
        progressive(MAX_SCANS - 10),
        png(*[chunk(b"prVt")] * (MAX_PARTS - 10)),
        PNG + bytes(100_000),
    ],
)
def test_files_of_some_parts_are_decoded(data: bytes) -> None:
    assert not is_laborious(data)
    assert decode(data).size == (32, 24)


def test_a_png_may_have_its_pixels_in_any_number_of_chunks() -> None:
    pixels = zlib.compress(bytes(33 * 32))
    pieces = [chunk(b"IDAT", pixels[place : place + 1]) for place in range(len(pixels))]
    header = PNG[:8] + chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 0, 0, 0, 0))
    many = header + chunk(b"IDAT") * 2 * MAX_PARTS + b"".join(pieces) + PNG[-12:]
    assert decode(many).size == (32, 32)


def test_the_first_scan_is_where_its_marker_is() -> None:
    assert first_scan(JPEG) == JPEG.index(b"\xff\xda")
    assert first_scan(JPEG[:20]) is None


@given(st.binary(max_size=100), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]))
def test_any_bytes_have_a_structure_or_none(data: bytes, signature: bytes) -> None:
    assert not is_laborious(signature + data.replace(b"\xff", b""))


def test_a_tiff_of_many_strips_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = encoded("TIFF")
    assert decode(photo).size == (32, 24)
    monkeypatch.setattr(images, "MAX_TILES", 0)
    with pytest.raises(TooLargeError, match="too many parts"):
        decode(photo)


def tiff(size: tuple[int, int], piece: bytes, number: int, compression: int, **tags: int) -> bytes:
    """Return a grey TIFF of which all strips or tiles are the same piece of the file."""
    tiled = "tile_width" in tags
    names = {"rows_per_strip": 278, "tile_width": 322, "tile_height": 323}
    head = {256: size[0], 257: size[1], 258: 8, 259: compression, 262: 1, 277: 1}
    head |= {names[name]: value for name, value in tags.items()}
    arrays = 8 + 2 + 12 * (len(head) + 2) + 4
    at = arrays + 8 * number
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in head.items()]
    entries.append(struct.pack("<HHII", 324 if tiled else 273, 4, number, at if number == 1 else arrays))
    entries.append(
        struct.pack("<HHII", 325 if tiled else 279, 4, number, len(piece) if number == 1 else arrays + 4 * number)
    )
    places = struct.pack(f"<{number}I", *[at] * number) + struct.pack(f"<{number}I", *[len(piece)] * number)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(sorted(entries)) + bytes(4) + places + piece


def grey(form: str, side: int = 16, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (side, side), 90).save(buffer, form, **options)
    return buffer.getvalue()


def test_a_tiff_is_decoded_whatever_its_parts_are_called() -> None:
    assert decode(tiff((16, 16), zlib.compress(bytes(256)), 1, 8, rows_per_strip=2**32 - 1)).size == (16, 16)
    tiles = tiff((20, 40), zlib.compress(bytes(256)), 6, 8, tile_width=16, tile_height=16)
    assert decode(tiles).size == (20, 40)
    assert decode(tiff((16, 16), grey("JPEG"), 1, 7, rows_per_strip=16)).getextrema() == ((90, 90),) * 3


@pytest.mark.parametrize(
    "data",
    [
        # Two thousand pixels high and sixteen wide, of tiles that are a million wide: two gigapixels.
        tiff((16, 2000), zlib.compress(bytes(1000)), 125, 8, tile_width=1_000_000, tile_height=16),
        tiff((2400, 2000), grey("JPEG"), 2000, 7, rows_per_strip=1),
        tiff((16, 32), grey("JPEG"), 2, 7, rows_per_strip=16),  # the same JPEG twice may as well be a thousand times
        tiff((16, 16), grey("JPEG", progressive=True) + b"\xff\xda" * 200, 1, 7, rows_per_strip=16),
    ],
)
def test_a_tiff_of_more_pixels_than_it_shows_is_refused(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image.Image, "load", None)
    with pytest.raises(TooLargeError, match="too many parts"):
        decode(data)


def test_a_tiff_whose_tiles_have_no_size_is_damaged() -> None:
    with pytest.raises(TruncatedError):
        decode(tiff((16, 16), b"x", 1, 8, tile_width=0, tile_height=16))


def test_the_larger_a_jpeg_the_fewer_scans_it_may_have() -> None:
    data = progressive(MAX_SCANS - 10)
    assert not is_scanned_too_often(data, MAX_SCANNED // MAX_SCANS)
    assert is_scanned_too_often(data, MAX_SCANNED // (MAX_SCANS - 10))
    assert not is_scanned_too_often(PROGRESSIVE, images.MAX_PIXELS)
    assert not is_scanned_too_often(b"", images.MAX_PIXELS)


def test_a_fax_is_no_photo() -> None:
    buffer = io.BytesIO()
    Image.new("1", (32, 24)).save(buffer, "TIFF", compression="group4")
    with pytest.raises(NotAPictureError, match="compression"):
        decode(buffer.getvalue())


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg", "zstd", "lzma"])
def test_a_compressed_tiff_is_decoded(compression: str) -> None:
    assert decode(encoded("TIFF", compression=compression)).size == (32, 24)


def test_only_a_small_bmp_may_have_run_lengths(monkeypatch: pytest.MonkeyPatch) -> None:
    head = b"BM" + struct.pack("<IHHI", 0, 0, 0, 54 + 8)
    head += struct.pack("<IiiHHIIiiII", 40, 32, 24, 1, 8, 1, 0, 0, 0, 2, 0) + b"\0\0\0\0\xff\xff\xff\0"
    runs = head + b"\x20\x01\0\0" * 24 + b"\0\1"
    assert decode(runs).getextrema() == ((255, 255),) * 3
    monkeypatch.setattr(images, "MAX_RUN_LENGTH_BYTES", len(runs) - 1)
    with pytest.raises(TooLargeError, match="too many parts"):
        decode(runs)
    assert decode(encoded("BMP")).size == (32, 24)
