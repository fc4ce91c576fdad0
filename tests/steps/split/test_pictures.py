from __future__ import annotations

import io
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from steps.common.images import NotAPictureError, TooLargeError
from steps.split import pictures
from steps.split.groups import NEAR_BITS
from steps.split.pictures import UnreadableError, picture_hash, read_photo, render, target_size

if TYPE_CHECKING:
    from tests.steps.split.conftest import Draw


@given(st.integers(1, 20_000), st.integers(1, 20_000), st.integers(16, 4096), st.sampled_from(["short", "long"]))
def test_the_side_gets_its_size_and_nothing_grows(width: int, height: int, size: int, side: str) -> None:
    target = target_size(width, height, size, side)
    assert 1 <= target[0] <= width
    assert 1 <= target[1] <= height
    chosen = min if side == "short" else max
    assert chosen(target) == min(size, chosen(width, height))


@given(st.integers(20, 2000), st.integers(20, 2000), st.integers(16, 500))
def test_the_shape_stays(width: int, height: int, size: int) -> None:
    new_width, new_height = target_size(width, height, size, "short")
    assert abs(new_width - width * new_height / height) <= max(1.0, width / height)


def test_the_whole_frame_is_kept_upright() -> None:
    levels = np.zeros((600, 1200, 3), dtype=np.uint8)
    levels[:30, :, 0] = levels[-30:, :, 1] = levels[:, -30:, 2] = 255  # red above, green below, blue on the right
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    buffer = io.BytesIO()
    Image.fromarray(levels).rotate(180).save(buffer, "JPEG", exif=exif)
    image = Image.open(io.BytesIO(render(buffer.getvalue(), 256, "short")))
    assert (image.format, image.size, image.getexif().get(0x0112)) == ("JPEG", (512, 256), None)
    shown = np.asarray(image)
    assert shown[3, 100, 0] > 200
    assert shown[-4, 100, 1] > 200
    assert shown[128, -4, 2] > 200


def test_small_photos_keep_their_size(draw: Draw) -> None:
    assert Image.open(io.BytesIO(render(draw(1, (100, 80)), 256, "short"))).size == (100, 80)


@pytest.mark.parametrize(("size", "quality"), [((64, 48), 40), ((224, 168), 92), ((500, 375), 70)])
def test_a_smaller_or_coarser_version_is_a_near_duplicate(draw: Draw, size: tuple[int, int], quality: int) -> None:
    original = picture_hash(draw(1, (800, 600)))
    assert (original ^ picture_hash(draw(1, size, quality=quality))).bit_count() <= NEAR_BITS
    assert (original ^ picture_hash(draw(2, size))).bit_count() > NEAR_BITS


def test_what_is_no_plain_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "gone.jpg").symlink_to("nowhere")
    for name in ("pipe.jpg", "empty.jpg", "."):
        with pytest.raises(NotAPictureError):
            read_photo(tmp_path / name)
    with pytest.raises(UnreadableError):
        read_photo(tmp_path / "gone.jpg")


def test_an_endless_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "endless.jpg").open("wb") as file:
        file.truncate(pictures.MAX_BYTES + 1)
    with pytest.raises(TooLargeError):
        read_photo(tmp_path / "endless.jpg")
