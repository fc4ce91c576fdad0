"""The input pipeline alone: photos/s from shards, augmented, on all cores.

Beside ImageFolder's DataLoader with two workers on the same photos, and beside bare decoding and resizing of the
shards' own bytes, which no pipeline can do without.
"""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from benchmarks import notebook
from benchmarks.figures import Figure, compared, medians, show
from benchmarks.machine import cores
from benchmarks.photos import kind, photos_folder
from benchmarks.shards import write_shards

if TYPE_CHECKING:
    from steps.train.data import Photos

PHOTOS = 600
ROUNDS = 5
SPLIT_SIZE = 256  # Split's own
SIZE = 224
BATCH = 64
STRENGTH = 0.5
PEER_BAR, LIMIT_BAR = 4.0, 0.85


def rate(photos: int, work: Callable[[], object]) -> float:
    """Return the photos a second of a pass over all of them."""
    begun = time.perf_counter()
    work()
    return photos / (time.perf_counter() - begun)


def ours(photos: Photos, pool: ThreadPoolExecutor) -> None:
    """Go over the photos once, as a training's epoch does."""
    from steps.train.data import batches

    order = np.random.default_rng(0).permutation(len(photos.shards))
    for batch in batches(photos, np.array_split(order, max(1, len(order) // BATCH)), 0, pool):
        assert batch.photos.shape[1:] == (SIZE, SIZE, 3)


def peer(classes: Path) -> None:
    """Go over the photos once; the workers start anew, as they do each epoch."""
    for pictures, _ in notebook.loader(classes, SIZE, BATCH):
        assert pictures.shape[1:] == (3, SIZE, SIZE)


def bare(data: bytes) -> int:
    """Decode as small as JPEG allows for the size, and resize: nothing of it can be left out."""
    image = Image.open(io.BytesIO(data))
    image.draft("RGB", (SIZE, SIZE))
    return image.resize((SIZE, SIZE), Image.Resampling.BILINEAR, reducing_gap=2.0).width


def measure() -> list[Figure]:
    """Return the loader's speed beside the peer's and the limit."""
    from steps.train.data import open_channel

    folder = photos_folder(PHOTOS)
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(cores()) as pool:
        count = write_shards(folder, Path(name, "shards"), PHOTOS, SPLIT_SIZE)
        notebook.copy_into_classes(folder, Path(name, "classes"), PHOTOS)
        photos = open_channel(Path(name, "shards"), SIZE, seed=0, strength=STRENGTH)
        encoded = [photos.shards[index].image for index in range(count)]
        speed = medians(
            ROUNDS,
            ours=lambda: rate(count, lambda: ours(photos, pool)),
            peer=lambda: rate(count // BATCH * BATCH, lambda: peer(Path(name, "classes"))),
            limit=lambda: rate(count, lambda: list(pool.map(bare, encoded))),
        )
    what = f"input pipeline at {SIZE} pixels, {count} {kind(folder)}"
    return [
        compared(what, speed["ours"], speed["peer"], "photos/s", "ImageFolder, 2 workers", PEER_BAR),
        compared(what, speed["ours"], speed["limit"], "photos/s", "bare decode + resize by Pillow", LIMIT_BAR),
    ]


if __name__ == "__main__":
    show(measure())
