"""Small bins to split: every seed draws another picture, far from all others by perceptual hash."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Draw = Callable[..., bytes]


def draw(seed: int, size: tuple[int, int] = (64, 48), form: str = "JPEG", quality: int = 92) -> bytes:
    levels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(levels).resize(size, Image.Resampling.BICUBIC).save(buffer, form, quality=quality)
    return buffer.getvalue()


@pytest.fixture(scope="session", name="draw")
def draw_fixture() -> Draw:
    """Return the function that draws a photo from a seed."""
    return draw


class Bins:
    """A folder of photos and one of labels, filled by tests."""

    def __init__(self, root: Path) -> None:
        self.photos, self.labels = root / "bin-images", root / "metadata"
        self.photos.mkdir(parents=True)
        self.labels.mkdir()

    def photo(self, name: str, data: bytes) -> None:
        (self.photos / name).write_bytes(data)

    def record(self, photo_id: str, quantity: object, items: list[str]) -> None:
        record = {"BIN_FCSKU_DATA": {item: {"quantity": 1} for item in items}, "EXPECTED_QUANTITY": quantity}
        (self.labels / f"{photo_id}.json").write_text(json.dumps(record), encoding="utf-8")

    def csv(self, *lines: str) -> None:
        (self.labels / "labels.csv").write_text("\n".join(lines), encoding="utf-8")

    def fill(self, first: int, last: int) -> None:
        """Photos with records; three in a row are one bin: they share an item."""
        for number in range(first, last):
            self.photo(f"{number:05d}.jpg", draw(number))
            self.record(f"{number:05d}", number % 5 + 1, [f"bin {number // 3}", f"item {number}"])


@pytest.fixture
def bins(tmp_path: Path) -> Bins:
    """Return empty folders to fill."""
    return Bins(tmp_path / "data")
