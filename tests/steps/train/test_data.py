from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from steps.common.job import JobError
from steps.common.shards import Photo, ShardWriter
from steps.train.data import batches, open_channel


def test_batches_come_in_order_and_whole(channels: Path) -> None:
    photos = open_channel(channels / "train", 32, 0, 0.5)
    positions = [np.array([5, 1, 8]), np.array([0, 2]), np.array([7]), np.array([3, 4]), np.array([6])]
    with ThreadPoolExecutor(2) as pool:
        found = list(batches(photos, positions, 3, pool))
    assert [batch.indices.tolist() for batch in found] == [list(map(int, part)) for part in positions]
    for batch in found:
        for row, target, index in zip(batch.photos, batch.targets, batch.indices, strict=True):
            assert np.array_equal(row.numpy(), photos.pixels(int(index), 3))
            assert target == photos.shards[int(index)].label - 1


def test_a_consumer_may_stop_early(channels: Path) -> None:
    photos = open_channel(channels / "train", 32, 0)
    with ThreadPoolExecutor(1) as pool:
        stream = batches(photos, [np.arange(8)] * 5, 0, pool)
        assert next(stream).photos.shape == (8, 32, 32, 3)
        stream.close()  # type: ignore[attr-defined]


def test_augmentation_changes_with_the_epoch_and_validation_never(channels: Path) -> None:
    train, validation = (open_channel(channels / "train", 32, 0, strength) for strength in (0.5, 0.0))
    assert not np.array_equal(train.pixels(0, 0), train.pixels(0, 1))
    assert np.array_equal(validation.pixels(0, 0), validation.pixels(0, 1))


def test_a_missing_channel_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"holds no .arrow shards; is it an output of the Split step"):
        open_channel(tmp_path, 32, 0)


def test_an_empty_shard_is_refused(tmp_path: Path) -> None:
    with ShardWriter(tmp_path, "shard") as writer:
        writer.write(Photo("a", 7, "g", b"no picture"))
    with pytest.raises(JobError, match="labels outside 1 to 5"):
        open_channel(tmp_path, 32, 0)


def test_a_photo_that_does_not_decode_is_named(tmp_path: Path) -> None:
    with ShardWriter(tmp_path, "shard") as writer:
        writer.write(Photo("00017", 1, "g", b"no picture"))
    photos = open_channel(tmp_path, 32, 0)
    with pytest.raises(JobError, match="photo 00017"):
        photos.pixels(0, 0)


def test_digests_tell_data_apart(channels: Path) -> None:
    train, validation = (open_channel(channels / name, 32, 0) for name in ("train", "validation"))
    assert train.digest() == open_channel(channels / "train", 32, 5).digest() != validation.digest()
    assert train.outline() != validation.outline()
