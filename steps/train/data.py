"""The photos as batches: decoded, squeezed to the input's size and augmented by threads while the model computes.

Threads, not DataLoader processes: decoding and resizing release the GIL, nothing is pickled or forked, a job starts
seconds earlier, and a batch depends on its position alone, which makes resuming exact.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from steps.common.files import sha256
from steps.common.images import PhotoError, decode, to_input
from steps.common.job import JobError
from steps.common.labels import AUXILIARY_LABELS, LABELS
from steps.common.shards import Items, Photo, ShardDataset, ShardError
from steps.train.augment import Pixels, apply, draw
from steps.train.classes import SERVED, WIDE, Classes
from steps.train.sampler import Indices

AHEAD = 2  # batches that wait ready, so that an uneven one holds nothing up


class Joined:
    """The photos of several channels as if they were of one, in the order of the channels."""

    def __init__(self, *parts: ShardDataset) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *map(len, parts)])
        self.paths = [path for part in parts for path in part.paths]
        self.labels: Indices = np.concatenate([part.labels for part in parts])

    def __len__(self) -> int:
        return len(self.labels)

    def items(self) -> Iterator[Items]:
        """Yield what the record of each photo's bin says, in the order of the photos."""
        for part in self._parts:
            yield from part.items()

    def __getitem__(self, index: int) -> Photo:
        which = int(np.searchsorted(self._starts, index, side="right")) - 1
        return self._parts[which][index - int(self._starts[which])]


@dataclass(frozen=True)
class Photos:
    """Channels' photos at the model's input size; `strength` is of the augmentation."""

    shards: Joined
    size: int
    seed: int
    strength: float = 0.0
    classes: Classes = SERVED

    @property
    def targets(self) -> Indices:
        """Class indices of all photos: how much the label is over the first class's."""
        return self.shards.labels - self.classes.first

    def pixels(self, index: int, epoch: int) -> Pixels:
        """Return a photo as the model sees it in an epoch: uint8 [size, size, 3]. Raises JobError."""
        photo = self.shards[index]
        try:
            frame = to_input(decode(photo.image, at_least=self.size), self.size)
        except PhotoError as error:
            raise JobError(f"photo {photo.id} of the data cannot be decoded ({error}): run Split again") from None
        return apply(frame, draw(self.seed, epoch, index, self.strength))

    def digest(self) -> str:
        """Return the SHA-256 of the shards' contents, 64 hexadecimal digits."""
        return hashlib.sha256("".join(sha256(path) for path in self.shards.paths).encode()).hexdigest()

    def outline(self) -> bytes:
        """Return a quick digest (32 bytes) of the files' names and sizes and the labels: equal data has equal ones."""
        facts = "".join(f"{path.name}:{path.stat().st_size};" for path in self.shards.paths)
        return hashlib.sha256(facts.encode() + self.shards.labels.tobytes()).digest()


@dataclass(frozen=True)
class Batch:
    """Photos uint8 [n, size, size, 3], class indices int64 [n] and the photos' indices int64 [n]."""

    photos: torch.Tensor
    targets: torch.Tensor
    indices: Indices


def open_channel(folder: Path, size: int, seed: int, strength: float = 0.0) -> Photos:
    """Open a channel's shards of labels from 1 to 5.

    Raises:
        JobError: no shards there, no photo in them, or labels outside 1 to 5.
    """
    return Photos(Joined(_open(folder)), size, seed, strength)


def open_training(channels: Path, size: int, seed: int, strength: float) -> Photos:
    """Open what there is to train on: the `train` channel, and the `auxiliary` one where it holds photos.

    Raises JobError as `open_channel` does.
    """
    folder = channels / "auxiliary"
    others = _open(folder, AUXILIARY_LABELS) if folder.is_dir() else None
    if not others:
        return open_channel(channels / "train", size, seed, strength)
    return Photos(Joined(_open(channels / "train"), others), size, seed, strength, WIDE)


def _open(folder: Path, labels: tuple[int, ...] = LABELS) -> ShardDataset:
    try:
        shards = ShardDataset(folder, labels)
    except ShardError as error:
        raise JobError(str(error)) from None
    if not len(shards) and labels == LABELS:
        raise JobError(f"the shards in {folder} hold no photo: check the Split step's report")
    return shards


def batches(photos: Photos, positions: Sequence[Indices], epoch: int, pool: ThreadPoolExecutor) -> Iterator[Batch]:
    """Yield a batch for each array of indices, in order, while the pool prepares those that follow."""
    waiting: deque[tuple[Indices, list[Future[Pixels]]]] = deque()
    todo = iter(positions)
    try:
        while True:
            while len(waiting) <= AHEAD and (indices := next(todo, None)) is not None:
                waiting.append((indices, [pool.submit(photos.pixels, int(index), epoch) for index in indices]))
            if not waiting:
                return
            indices, frames = waiting.popleft()
            stacked = torch.from_numpy(np.stack([frame.result() for frame in frames]))
            yield Batch(stacked, torch.from_numpy(photos.targets[indices]), indices)
    finally:  # the consumer may stop early
        for _, frames in waiting:
            for frame in frames:
                frame.cancel()
