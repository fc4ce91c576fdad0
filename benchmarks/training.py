"""Training, images/s on all cores: the training job from shards on disk, beside the notebook's loop.

The same backbone (EfficientNet-Lite0 from its ImageNet weights) at the same size and batch. Ours is the whole job as
the service starts it, with augmentation, averaged weights and the items' records, its speed as its log has it; the
peer is torchvision's ImageFolder and DataLoader with two workers, the notebook's transforms and a plain loop with Adam
in fp32. The first epoch of each is left out.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import jobs, notebook
from benchmarks.figures import Figure, compared, show
from benchmarks.machine import cores
from benchmarks.photos import kind, photos_folder
from benchmarks.shards import write_shards

PHOTOS = 256
VALIDATED = 32
EPOCHS = 4
SIZE = 224  # of the pictures that train, which hold photos of 196 pixels in a border
SPLIT_SIZE = 256
BATCH = 32
BAR = 2.0
PARAMETERS = {"epochs": EPOCHS, "batch_size": BATCH, "image_size": 196, "patience": 0}


def write_channels(folder: Path, channels: Path, photos: int = PHOTOS) -> None:
    """Write the channels of a training job; the few validation photos are of the training's, nobody looks at scores."""
    write_shards(folder, channels / "train", photos, SPLIT_SIZE)
    write_shards(folder, channels / "validation", VALIDATED, SPLIT_SIZE)


def peer(classes: Path) -> float:
    """Train as the notebook does; return the photos a second of the median epoch but the first."""
    import torch

    torch.set_num_threads(cores())
    model = _model()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    loss_of = torch.nn.CrossEntropyLoss()
    data = notebook.loader(classes, SIZE, BATCH)
    rates = []
    for _ in range(EPOCHS):
        begun = time.perf_counter()
        for pictures, targets in data:
            optimizer.zero_grad()
            loss = loss_of(model(pictures), targets)
            loss.backward()
            optimizer.step()
            loss.item()  # the notebook adds it up
        rates.append(len(data) * BATCH / (time.perf_counter() - begun))
    return statistics.median(rates[1:])


def _model() -> Any:  # noqa: ANN401 - the package has no types
    from efficientnet_lite_pytorch import EfficientNet

    from steps.train.weights import load

    model = EfficientNet.from_name("efficientnet-lite0", num_classes=5)
    load(model, "efficientnet_lite0", "package", Path(os.devnull))
    return model.train()


def measure() -> list[Figure]:
    """Return the job's speed beside the peer's."""
    folder = photos_folder()
    with tempfile.TemporaryDirectory() as name:
        write_channels(folder, Path(name, "channels"))
        notebook.copy_into_classes(folder, Path(name, "classes"), PHOTOS)
        theirs = peer(Path(name, "classes"))
        ours = jobs.train(Path(name, "job"), Path(name, "channels"), PARAMETERS)
    what = f"training EfficientNet-Lite0 at {SIZE} pixels, batch {BATCH}, {kind(folder)}"
    return [compared(what, ours, theirs, "images/s", "ImageFolder, fp32, NCHW", BAR)]


if __name__ == "__main__":
    show(measure())
