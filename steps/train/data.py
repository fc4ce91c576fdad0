"""The photos as batches: decoded, squeezed to the input's size and augmented by threads while the model computes.

Threads, not DataLoader processes: decoding and resizing release the GIL, nothing is pickled or forked, a job starts
seconds earlier, and a batch depends on its position alone, which makes resuming exact.

What is scored (strength 0) is prepared as the endpoint does it. What is augmented takes a quarter of the time: shards
hold JPEGs that Split wrote, which libjpeg-turbo decodes to the same pixels, but at any eighth of their size and into an
array, and augmentation resamples anyway.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import numpy as np
import torch

from steps.common.files import sha256
from steps.common.images import PhotoError, decode, decode_eighths, to_input
from steps.common.job import JobError
from steps.common.labels import AUXILIARY_LABELS, LABELS
from steps.common.shards import Items, Photo, ShardDataset, ShardError
from steps.train.augment import Pixels, apply, draw
from steps.train.classes import SERVED, WIDE, Classes
from steps.train.sampler import Indices

AHEAD = 2  # batches that wait ready, so that an uneven one holds nothing up
CHUNK = 8  # photos that a thread takes at a time: handing one over takes a tenth of what preparing it does
JPEG = b"\xff\xd8\xff"


class Joined:
    """The photos of several channels as if they were of one, in the order of the channels."""

    def __init__(self, *parts: ShardDataset) -> None:
        self._parts = parts
        self._starts = [0, *accumulate(map(len, parts))]
        self.paths = [path for part in parts for path in part.paths]
        self.labels: Indices = np.concatenate([part.labels for part in parts])

    def __len__(self) -> int:
        return len(self.labels)

    def items(self) -> Iterator[Items]:
        """Yield what the record of each photo's bin says, in the order of the photos."""
        for part in self._parts:
            yield from part.items()

    def __getitem__(self, index: int) -> Photo:
        which = bisect_right(self._starts, index) - 1
        return self._parts[which][index - self._starts[which]]


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
        out = np.empty((self.size, self.size, 3), np.uint8)
        self.fill(out, index, epoch)
        return out

    def fill(self, out: Pixels, index: int, epoch: int) -> None:
        """Write a photo as the model sees it in an epoch into uint8 [size, size, 3]. Raises JobError."""
        photo = self.shards[index]
        try:
            if self.strength:
                apply(decode_near(photo.image, self.size), draw(self.seed, epoch, index, self.strength), out)
            else:
                out[:] = to_input(decode(photo.image, at_least=self.size), self.size)
        except (PhotoError, ValueError) as error:
            raise JobError(f"photo {photo.id} of the data cannot be decoded ({error}): run Split again") from None

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

    def first(self, number: int) -> Batch:
        """Return the batch of the first photos alone."""
        return Batch(self.photos[:number], self.targets[:number], self.indices[:number])


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


def decode_near(data: bytes, at_least: int) -> Pixels:
    """Return a photo's pixels [height, width, 3], no side below `at_least` if it was not before.

    A JPEG comes at 1/8, 2/8, ... of its size. Shards of another's making may hold other formats.

    Raises:
        PhotoError, ValueError: it is no picture, or damaged.
    """
    if not data.startswith(JPEG):
        return np.asarray(decode(data))
    return decode_eighths(data, at_least)


def batches(photos: Photos, positions: Sequence[Indices], epoch: int, pool: ThreadPoolExecutor) -> Iterator[Batch]:
    """Yield a batch for each array of indices, in order, while the pool prepares those that follow."""
    waiting: deque[tuple[Indices, torch.Tensor, list[Future[None]]]] = deque()
    todo = iter(positions)
    try:
        while True:
            while len(waiting) <= AHEAD and (indices := next(todo, None)) is not None:
                waiting.append((indices, *_start(photos, indices, epoch, pool)))
            if not waiting:
                return
            indices, frames, parts = waiting.popleft()
            for part in parts:
                part.result()
            yield Batch(frames, torch.from_numpy(photos.targets[indices]), indices)
    finally:  # the consumer may stop early
        for _, _, parts in waiting:
            for part in parts:
                part.cancel()


def _start(
    photos: Photos, indices: Indices, epoch: int, pool: ThreadPoolExecutor
) -> tuple[torch.Tensor, list[Future[None]]]:
    """Have the pool prepare a batch; return where it is written to, and what has to be waited for."""
    frames = torch.empty((len(indices), photos.size, photos.size, 3), dtype=torch.uint8)
    rows = frames.numpy()

    def prepare(first: int) -> None:
        for row, index in zip(rows[first : first + CHUNK], indices[first : first + CHUNK], strict=True):
            photos.fill(row, int(index), epoch)

    return frames, [pool.submit(prepare, first) for first in range(0, len(indices), CHUNK)]
