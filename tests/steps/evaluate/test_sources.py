from __future__ import annotations

import os
from pathlib import Path

import pytest

from steps.common.images import PhotoError
from steps.common.job import JobError
from steps.common.shards import Photo, ShardDataset, ShardWriter
from steps.evaluate import sources
from steps.evaluate.sources import LabelledFolder, read_photo, shard_samples


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.jpg", "b.png", "sub/c.jpg", "twice.jpg", "twice.png"):
        (folder / name).write_bytes(name.encode())
    return folder


def labels(folder: Path, text: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_ids_are_file_names_with_or_without_extension_or_folder(images: Path, tmp_path: Path) -> None:
    text = "id,label\na,1\nb.png,2\nc,3\nsub/c.jpg,4\nsub/c,5\n"
    samples = list(LabelledFolder(images, labels(tmp_path, text)))
    assert [sample.image for sample in samples] == [b"a.jpg", b"b.png", b"sub/c.jpg", b"sub/c.jpg", b"sub/c.jpg"]
    assert [sample.label for sample in samples] == ["1", "2", "3", "4", "5"]
    assert [sample.position for sample in samples] == [0, 1, 2, 3, 4]


def test_photos_are_their_own_groups_unless_the_csv_has_some(images: Path, tmp_path: Path) -> None:
    samples = list(LabelledFolder(images, labels(tmp_path, "id,label,group\na,1,x\nb,2,\nc,3,x\n")))
    assert samples[0].group == samples[2].group == "x"
    assert samples[1].group not in {"x", ""}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nope", "no file"),
        ("../images/a.jpg", "no file"),
        ("/etc/passwd", "no file"),
        ("twice", "2 files"),
        ("", "no file"),
    ],
)
def test_an_id_that_finds_not_one_file_says_so(images: Path, tmp_path: Path, name: str, reason: str) -> None:
    (sample,) = LabelledFolder(images, labels(tmp_path, f"id,label\n{name},1\n"))
    assert isinstance(sample.image, PhotoError)
    assert reason in str(sample.image)


@pytest.mark.parametrize(
    ("text", "words"),
    [("a,1\n", "header"), ("", "header"), ("id,label\n", "no rows"), ("id,label\n" + "x" * 200_000 + ",1\n", "no CSV")],
)
def test_a_csv_with_a_fault_is_one_line(images: Path, tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(JobError, match=words):
        LabelledFolder(images, labels(tmp_path, text))


def test_a_csv_that_is_not_text_or_not_there_is_one_line(images: Path, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    with pytest.raises(JobError, match="No such file"):
        LabelledFolder(images, path)
    path.write_bytes(b"id,label\n\xff\xfe,1\n")
    with pytest.raises(JobError, match="UTF-8"):
        LabelledFolder(images, path)


def test_a_spreadsheets_byte_order_mark_does_no_harm(images: Path, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("id,label\na,1\n", encoding="utf-8-sig")
    assert len(LabelledFolder(images, path)) == 1


def test_a_missing_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="is no folder"):
        LabelledFolder(tmp_path / "none", labels(tmp_path, "id,label\na,1\n"))


def test_a_named_pipe_is_no_photo(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(PhotoError, match="no such file"):
        read_photo(tmp_path / "pipe")


def test_a_file_of_absurd_size_is_no_photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MAX_PHOTO_BYTES", 10)
    (tmp_path / "large").write_bytes(bytes(11))
    with pytest.raises(PhotoError, match="more than 10 bytes"):
        read_photo(tmp_path / "large")


def test_shards_give_samples_that_are_found_again_by_position(tmp_path: Path) -> None:
    with ShardWriter(tmp_path, "test") as writer:
        for index in range(70):
            writer.write(Photo(f"p{index}", index % 5 + 1, "g", bytes([index])))
    dataset = ShardDataset(tmp_path)
    for sample in shard_samples(dataset):
        assert dataset[sample.position].id == sample.id
        assert dataset[sample.position].image == sample.image
        assert sample.label == str(dataset[sample.position].label)
