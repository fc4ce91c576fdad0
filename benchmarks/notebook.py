"""The peers: the notebook's way from photos to a training step, as its kind is written everywhere.

Each file is copied into a folder of its class, torchvision's ImageFolder and DataLoader read them with two workers, the
transforms work on whole pictures, and a plain loop trains in fp32 with the layout that torch starts with.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.photos import photo_paths

WORKERS = 2
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def labelled(folder: Path, most: int) -> Iterator[tuple[Path, int]]:
    """Yield the first photos of a folder with 1 to 5 items, and their counts."""
    left = most
    for photo in photo_paths(folder):
        record = json.loads((folder / "metadata" / f"{photo.stem}.json").read_bytes())
        if left and 1 <= record["EXPECTED_QUANTITY"] <= 5:
            left -= 1
            yield photo, record["EXPECTED_QUANTITY"]


def copy_into_classes(folder: Path, out: Path, most: int) -> int:
    """Copy photos into `out/<count>/`, as ImageFolder wants them; return how many."""
    copied = 0
    for photo, count in labelled(folder, most):
        (out / str(count)).mkdir(parents=True, exist_ok=True)
        shutil.copy(photo, out / str(count))
        copied += 1
    return copied


def loader(classes: Path, size: int, batch: int) -> Any:  # noqa: ANN401 - torchvision has no types
    """Return the DataLoader over class folders: float32 batches [n, 3, size, size]."""
    from torch.utils.data import DataLoader
    from torchvision import transforms
    from torchvision.datasets import ImageFolder

    steps = [
        transforms.Resize((size, size)),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize(MEAN, STD),
    ]
    data = ImageFolder(str(classes), transforms.Compose(steps))
    return DataLoader(data, batch_size=batch, shuffle=True, num_workers=WORKERS, drop_last=True)
