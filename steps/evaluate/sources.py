"""Where labelled photos come from: the test shards of the Split step, or a folder of photos with a CSV of labels."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from steps.common.images import NotAPictureError, PhotoError, TooLargeError
from steps.common.job import JobError
from steps.common.shards import ShardDataset
from steps.evaluate.inference import Sample

MAX_PHOTO_BYTES = 64 * 2**20


def shard_samples(dataset: ShardDataset) -> Iterator[Sample]:
    """Yield the photos of shards, one in memory at a time."""
    for position, photo in enumerate(dataset):
        yield Sample(photo.id, str(photo.label), photo.group, photo.image, position)


def read_photo(path: Path) -> bytes:
    """Read a photo's file.

    Raises:
        NotAPictureError: no such file, no plain file, or not readable.
        TooLargeError: more bytes than a photo has.
    """
    if not path.is_file():  # a named pipe would block for ever
        raise NotAPictureError("there is no such file")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PHOTO_BYTES + 1)
    except OSError as error:
        raise NotAPictureError(f"the file cannot be read: {error.strerror}") from None
    if len(data) > MAX_PHOTO_BYTES:
        raise TooLargeError(f"the file has more than {MAX_PHOTO_BYTES} bytes")
    return data


class LabelledFolder:
    """Photos of a folder that a CSV `id,label[,group]` names; an id is a file name with or without its extension.

    Args:
        images: the folder, searched with its sub-folders; an id may hold a path below it.
        labels: the CSV, with a header.

    Raises:
        JobError: the folder or the CSV is missing, or the CSV has not the columns or no row.
    """

    def __init__(self, images: Path, labels: Path) -> None:
        self.rows = _read_rows(labels)
        if not images.is_dir():
            raise JobError(f"{images} is no folder: give the folder that holds the photos")
        # Only what lies in the folder can be named: an id like ../../etc/passwd finds nothing.
        self._files: dict[str, list[Path]] = {}
        for path in sorted(images.rglob("*")):
            if path.is_file():
                relative = path.relative_to(images)
                for name in {str(relative), str(relative.with_suffix("")), path.name, path.stem}:
                    self._files.setdefault(name, []).append(path)

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Sample]:
        for position, (name, label, group) in enumerate(self.rows):
            yield Sample(name, label, group, self._read(name), position)

    def _read(self, name: str) -> bytes | PhotoError:
        found = self._files.get(name, [])
        if len(found) > 1:
            return PhotoError(f"{len(found)} files in the folder have this name")
        try:
            return read_photo(found[0]) if found else PhotoError("no file in the folder has this name")
        except PhotoError as error:
            return error


def _read_rows(path: Path) -> list[tuple[str, str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            if not {"id", "label"} <= set(reader.fieldnames or ()):
                raise JobError(f"{path} needs a header with the columns id and label (and group, if you have it)")
            rows = [_row(row) for row in reader]
    except OSError as error:
        raise JobError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise JobError(f"{path} is no CSV in UTF-8: {error}") from None
    if not rows:
        raise JobError(f"{path} has no rows under its header")
    return rows


def _row(row: dict[str, str | None]) -> tuple[str, str, str]:
    name, label = (row["id"] or "").strip(), (row["label"] or "").strip()
    return name, label, (row.get("group") or "").strip() or f"photo:{name}"
