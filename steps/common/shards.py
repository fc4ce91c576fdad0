"""The dataset format: Arrow IPC files, memory-mapped, one row a photo.

Columns: `id` (string), `label` (int8, 1 to 5; 0 and 6 to 9 in auxiliary photos), `group` (string: photos of one group
never cross splits) and `image` (binary: the whole frame as JPEG). Random access costs no copy, S3 sees a few large
objects, and an index over all shards gives samplers exact positions. Photos to train on may have `items` (a struct, see
`Items`): what the bin's record says of them.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from steps.common.artifact import one_line
from steps.common.labels import LABELS

_ITEMS: dict[str, pa.DataType] = {
    "kinds": pa.int32(),
    "most": pa.float32(),
    "volume": pa.float32(),
    "weight": pa.float32(),
    "longest": pa.float32(),
    "words": pa.list_(pa.field("item", pa.string(), nullable=False)),
}
_COLUMNS: dict[str, pa.DataType] = {
    "id": pa.string(),
    "label": pa.int8(),
    "group": pa.string(),
    "image": pa.binary(),
    "items": pa.struct([pa.field(name, kind, nullable=False) for name, kind in _ITEMS.items()]),
}
_FORMAT = "bincount-shard-2"
SCHEMA = pa.schema(_COLUMNS, metadata={"format": _FORMAT})
BATCH_ROWS = 64
SHARD_BYTES = 128 * 2**20


class ShardError(Exception):
    """A file that is no shard of ours, or a folder without any."""


@dataclass(frozen=True, slots=True)
class Items:
    """A bin's items, by its record; `kinds` 0 says that nothing is known.

    `most` is the largest quantity of one kind, `volume` (cubic inches) and `weight` (pounds) are of all items together,
    `longest` is the longest side of any, inches. `words` are those of the names, in lower case, sorted.
    """

    kinds: int = 0
    most: float = 0.0
    volume: float = 0.0
    weight: float = 0.0
    longest: float = 0.0
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Photo:
    """One row of a shard."""

    id: str
    label: int
    group: str
    image: bytes
    items: Items = Items()


class ShardWriter:
    """Write photos into `<folder>/<prefix>-00000.arrow`, ... of about `shard_bytes` each; memory stays flat.

    A context manager: files appear under their names only when they are whole. With `even_empty` there is one where
    no photo came: S3 knows no empty folder, and a job whose input is not there fails.
    """

    def __init__(self, folder: Path, prefix: str, shard_bytes: int = SHARD_BYTES, *, even_empty: bool = False) -> None:
        self._folder, self._prefix, self._shard_bytes, self._even_empty = folder, prefix, shard_bytes, even_empty
        self._rows: list[Photo] = []
        self._file: pa.RecordBatchFileWriter | None = None
        self._temporary = Path()
        self._bytes = self._shards = 0
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> Self:
        return self

    def write(self, photo: Photo) -> None:
        """Append a photo."""
        self._rows.append(photo)
        if len(self._rows) == BATCH_ROWS:
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        file = self._open()
        columns = {name: [getattr(row, name) for row in self._rows] for name in SCHEMA.names if name != "items"}
        columns["items"] = [{name: getattr(row.items, name) for name in _ITEMS} for row in self._rows]
        file.write_batch(pa.RecordBatch.from_pydict(columns, schema=SCHEMA))
        self._bytes += sum(len(row.image) for row in self._rows)
        self._rows = []
        if self._bytes >= self._shard_bytes:
            self._finish_shard()

    def _open(self) -> pa.RecordBatchFileWriter:
        if self._file is None:
            self._temporary = self._folder / f".{self._prefix}-{self._shards:05d}.partial"
            self._file = pa.ipc.new_file(str(self._temporary), SCHEMA)
        return self._file

    def _finish_shard(self) -> None:
        if self._file is None:
            return
        self._file.close()
        with self._temporary.open("rb") as file:
            os.fsync(file.fileno())
        self._temporary.replace(self._folder / f"{self._prefix}-{self._shards:05d}.arrow")
        self._file, self._bytes, self._shards = None, 0, self._shards + 1

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._flush()
            if self._even_empty and not self._shards:
                self._open()
            self._finish_shard()
        elif self._file is not None:
            self._file.close()
            self._temporary.unlink(missing_ok=True)


class ShardDataset:
    """The photos of all shards in a folder, in the order of the file names.

    Args:
        folder: where the `*.arrow` files lie (sub-folders too).
        labels: that there may be.

    Raises:
        ShardError: no shard there, a file that is damaged or none of ours, or another label.
    """

    def __init__(self, folder: Path, labels: tuple[int, ...] = LABELS) -> None:
        self.folder, self._allowed = folder, labels
        self.paths = sorted(folder.rglob("*.arrow"))
        if not self.paths:
            raise ShardError(f"{folder} holds no .arrow shards; is it an output of the Split step?")
        batches: list[pa.RecordBatch] = []
        for path in self.paths:
            batches += _open(path)
        self._batches = batches
        self._starts = [0, *accumulate(batch.num_rows for batch in batches)]
        columns = [np.asarray(batch.column("label"), dtype=np.int64) for batch in batches]
        self.labels: npt.NDArray[np.int64] = np.concatenate([np.zeros(0, np.int64), *columns])
        if not np.isin(self.labels, labels).all():
            allowed = "1 to 5" if labels == LABELS else ", ".join(map(str, labels))
            raise ShardError(f"{folder} holds labels outside {allowed}")

    def __reduce__(self) -> tuple[type[ShardDataset], tuple[Path, tuple[int, ...]]]:
        """Travel to a data loader's workers as the folder: they map the files instead of copying every photo."""
        return ShardDataset, (self.folder, self._allowed)

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: int) -> Photo:
        if not 0 <= index < len(self):
            raise IndexError(f"photo {index} of {len(self)}")
        which = bisect_right(self._starts, index) - 1
        row = index - self._starts[which]
        batch = self._batches[which]
        return Photo(
            id=batch.column("id")[row].as_py(),
            label=int(self.labels[index]),
            group=batch.column("group")[row].as_py(),
            image=batch.column("image")[row].as_py(),
        )

    def items(self) -> Iterator[Items]:
        """Yield what the record of each photo's bin says, in the order of the photos."""
        for batch in self._batches:
            rows: list[Any] = batch.column("items").to_pylist()
            for row in rows:
                yield Items(**{**row, "words": tuple(row["words"])})

    def __iter__(self) -> Iterator[Photo]:
        return (self[index] for index in range(len(self)))


def _open(path: Path) -> list[pa.RecordBatch]:
    try:
        reader = pa.ipc.open_file(pa.memory_map(str(path)))
        if not reader.schema.equals(SCHEMA) or (reader.schema.metadata or {}).get(b"format") != _FORMAT.encode():
            raise ShardError(f"{path} has other columns than a bincount shard")
        batches = [reader.get_batch(index) for index in range(reader.num_record_batches)]
        for batch in batches:
            # Arrow trusts the offsets in a file: reading a row by damaged ones ends the process, without a word.
            # The photos themselves are not read here, so this takes milliseconds a shard.
            batch.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ShardError(f"{path} is no whole Arrow IPC file: {one_line(error)}") from None
    if any(_has_null(column) for batch in batches for column in batch.columns):
        raise ShardError(f"{path} has rows without an id, label, group, image or items")
    return batches


def _has_null(column: Any) -> bool:  # noqa: ANN401 - the stubs know no flatten
    if column.null_count:
        return True
    if pa.types.is_struct(column.type):
        return any(_has_null(part) for part in column.flatten())
    return bool(pa.types.is_list(column.type)) and _has_null(column.flatten())
