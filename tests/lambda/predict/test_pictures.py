from __future__ import annotations

import io

import pytest
from PIL import Image

from predict.errors import RefusalError
from predict.pictures import content_type
from steps.common.images import FORMATS

FILES = [name for name in FORMATS if name != "MPO"]  # which begins as a JPEG does


@pytest.mark.parametrize("name", FILES)
def test_every_format_of_the_endpoint_is_recognised_as_its_encoder_writes_it(name: str) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, name)
    assert content_type(file.getvalue()) == f"image/{name.lower()}"


@pytest.mark.parametrize(
    "data", [b"<html>", b"\x1f\x8b", b"%PDF-1.7", b"RIFF\0\0\0\0WAVE", b"<svg/>", b"\xff\xd8", b" \xff\xd8\xff", b"{}"]
)
def test_what_does_not_begin_like_a_picture_is_none(data: bytes) -> None:
    with pytest.raises(RefusalError) as caught:
        content_type(data)
    assert caught.value.status == 415


def test_no_bytes_are_no_picture() -> None:
    with pytest.raises(RefusalError) as caught:
        content_type(b"")
    assert caught.value.status == 400
