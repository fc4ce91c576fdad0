from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from steps.common.images import decode
from steps.common.job import JobError
from steps.common.shards import Photo, ShardWriter
from steps.train.classes import SERVED, WIDE
from steps.train.data import CHUNK, batches, decode_near, open_channel, open_training


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


def test_a_photo_that_ends_early_is_named_where_it_is_augmented_too(channels: Path, tmp_path: Path) -> None:
    whole = open_channel(channels / "train", 32, 0).shards[0].image
    with ShardWriter(tmp_path, "shard") as writer:
        writer.write(Photo("00017", 1, "g", whole[: len(whole) // 2]))
    with pytest.raises(JobError, match="photo 00017"):
        open_channel(tmp_path, 32, 0, 0.5).pixels(0, 0)


def jpeg(width: int, height: int) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (height // 8, width // 8, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


def test_a_jpeg_at_full_size_has_the_pixels_that_are_served() -> None:
    data = jpeg(72, 64)
    assert np.array_equal(decode_near(data, 64), np.asarray(decode(data)))


def test_a_jpeg_is_decoded_no_smaller_than_needed_and_not_much_larger() -> None:
    data = jpeg(288, 256)
    sides = {at_least: decode_near(data, at_least).shape[0] for at_least in (256, 224, 160, 128, 100)}
    assert sides == {256: 256, 224: 256, 160: 160, 128: 128, 100: 128}


def test_a_batch_larger_than_a_thread_s_share_is_whole(channels: Path) -> None:
    photos = open_channel(channels / "train", 32, 0, 0.5)
    order = np.arange(2 * CHUNK + 3) % len(photos.shards)
    with ThreadPoolExecutor(3) as pool:
        (batch,) = batches(photos, [order], 1, pool)
    assert all(
        np.array_equal(row, photos.pixels(int(index), 1)) for row, index in zip(batch.photos, order, strict=True)
    )


def test_a_fault_in_any_thread_reaches_the_consumer(tmp_path: Path) -> None:
    with ShardWriter(tmp_path, "shard") as writer:
        for number in range(CHUNK + 1):
            writer.write(Photo(f"{number:05d}", 1, "g", jpeg(32, 32) if number < CHUNK else b"no picture"))
    photos = open_channel(tmp_path, 32, 0, 0.5)
    with ThreadPoolExecutor(2) as pool, pytest.raises(JobError, match=f"photo {CHUNK:05d}"):
        list(batches(photos, [np.arange(CHUNK + 1)], 0, pool))


def test_digests_tell_data_apart(channels: Path) -> None:
    train, validation = (open_channel(channels / name, 32, 0) for name in ("train", "validation"))
    assert train.digest() == open_channel(channels / "train", 32, 5).digest() != validation.digest()
    assert train.outline() != validation.outline()


def write_others(folder: Path, frame: Callable[[int], bytes], counts: list[int]) -> None:
    with ShardWriter(folder, "auxiliary", even_empty=True) as shards:
        for number, count in enumerate(counts):
            shards.write(Photo(f"other-{number}", count, f"record:{number}", frame(count)))


def test_auxiliary_photos_widen_the_classes(channels: Path, tmp_path: Path) -> None:
    (tmp_path / "train").symlink_to(channels / "train")
    plain = open_training(tmp_path, 32, 0, 0.0)
    photo = plain.shards[0].image
    write_others(tmp_path / "auxiliary", lambda _: photo, [0, 9, 6])
    photos = open_training(tmp_path, 32, 0, 0.0)
    assert (plain.classes, photos.classes) == (SERVED, WIDE)
    assert len(photos.shards) == len(plain.shards) + 3
    assert photos.targets.tolist() == [*plain.shards.labels, 0, 9, 6]
    assert photos.shards[len(plain.shards) + 1].id == "other-1"
    assert photos.shards[0] == plain.shards[0]
    assert photos.digest() != plain.digest()
    assert photos.outline() != plain.outline()
    assert photos.pixels(len(plain.shards), 0).shape == (32, 32, 3)


def test_an_empty_auxiliary_channel_is_as_none(channels: Path, tmp_path: Path) -> None:
    (tmp_path / "train").symlink_to(channels / "train")
    write_others(tmp_path / "auxiliary", lambda _: b"", [])
    assert open_training(tmp_path, 32, 0, 0.0).classes == SERVED


def test_labels_that_are_scored_are_refused_as_auxiliary(channels: Path, tmp_path: Path) -> None:
    (tmp_path / "train").symlink_to(channels / "train")
    write_others(tmp_path / "auxiliary", lambda _: b"", [3])
    with pytest.raises(JobError, match="labels outside 0, 6, 7, 8, 9"):
        open_training(tmp_path, 32, 0, 0.0)
