from __future__ import annotations

import pickle
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.common.shards import BATCH_ROWS, SCHEMA, Items, Photo, ShardDataset, ShardError, ShardWriter


def photos(count: int) -> list[Photo]:
    return [
        Photo(f"{index:05d}", index % 5 + 1, f"record:{index // 2}", bytes([index % 256]) * 10)
        for index in range(count)
    ]


def write(folder: Path, rows: list[Photo], prefix: str = "train", shard_bytes: int = 2**20) -> None:
    with ShardWriter(folder, prefix, shard_bytes) as shards:
        for row in rows:
            shards.write(row)


@given(count=st.integers(1, 3 * BATCH_ROWS), shard_bytes=st.sampled_from([1, 700, 2**20]))
def test_photos_come_back_in_order_however_many_shards(
    tmp_path_factory: pytest.TempPathFactory, count: int, shard_bytes: int
) -> None:
    folder = tmp_path_factory.mktemp("shards")
    rows = photos(count)
    write(folder, rows, shard_bytes=shard_bytes)
    dataset = ShardDataset(folder)
    assert list(dataset) == rows
    assert dataset[count - 1] == rows[-1]
    assert dataset.labels.tolist() == [row.label for row in rows]
    assert len(dataset) == count


def test_shards_are_cut_by_size_and_named_in_order(tmp_path: Path) -> None:
    write(tmp_path, photos(3 * BATCH_ROWS), shard_bytes=10 * BATCH_ROWS)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"train-0000{index}.arrow" for index in range(3)]


def test_hosts_shards_are_one_dataset(tmp_path: Path) -> None:
    rows = photos(10)
    write(tmp_path, rows[:4], "train-algo-1")
    write(tmp_path / "below", rows[4:], "train-algo-2")
    assert sorted(photo.id for photo in ShardDataset(tmp_path)) == [row.id for row in rows]


def test_nothing_written_is_no_shard(tmp_path: Path) -> None:
    write(tmp_path / "train", [])
    assert list((tmp_path / "train").iterdir()) == []
    with pytest.raises(ShardError, match=r"no \.arrow shards"):
        ShardDataset(tmp_path / "train")


def test_a_failure_leaves_no_partial_shard(tmp_path: Path) -> None:
    def fail() -> None:
        with ShardWriter(tmp_path, "train") as shards:
            for row in photos(BATCH_ROWS + 1):
                shards.write(row)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("index", [-1, 3])
def test_no_photo_beyond_the_ends(tmp_path: Path, index: int) -> None:
    write(tmp_path, photos(3))
    with pytest.raises(IndexError):
        ShardDataset(tmp_path)[index]


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_damaged_files_are_refused(tmp_path: Path, keep: float) -> None:
    write(tmp_path, photos(200))
    path = tmp_path / "train-00000.arrow"
    data = path.read_bytes()
    path.write_bytes(data[: keep if isinstance(keep, int) else int(len(data) * keep)])
    with pytest.raises(ShardError, match="train-00000"):
        ShardDataset(tmp_path)


ROW: dict[str, list[object]] = {
    "id": ["1"],
    "label": [1],
    "group": ["g"],
    "image": [b""],
    "items": [asdict(Items())],
}


def write_table(path: Path, schema: pa.Schema, columns: dict[str, list[object]]) -> None:
    with pa.ipc.new_file(str(path), schema) as file:
        file.write_batch(pa.RecordBatch.from_pydict(columns, schema=schema))


def test_other_tables_are_refused(tmp_path: Path) -> None:
    write_table(tmp_path / "x.arrow", pa.schema({"id": pa.string()}), {"id": ["1"]})
    with pytest.raises(ShardError, match="other columns"):
        ShardDataset(tmp_path)


def test_labels_outside_the_classes_are_refused(tmp_path: Path) -> None:
    write_table(tmp_path / "x.arrow", SCHEMA, {**ROW, "label": [6]})
    with pytest.raises(ShardError, match="outside 1 to 5"):
        ShardDataset(tmp_path)


@pytest.mark.parametrize("column", ["id", "group", "image"])
@pytest.mark.parametrize("damage", [[0, 2**30, 3000], [0, -1000, 3000], [0, 1000, 2**30]])
def test_offsets_that_would_end_the_process_are_refused(tmp_path: Path, column: str, damage: list[int]) -> None:
    fields = {"id": "1", "group": "g", "image": ""}
    rows = [{**fields, column: "x" * 1000}, {**fields, column: "x" * 2000}]
    write(tmp_path, [Photo(row["id"], 1, row["group"], row["image"].encode()) for row in rows])
    path = tmp_path / "train-00000.arrow"
    data, good = path.read_bytes(), np.array([0, 1000, 3000], np.int32).tobytes()
    assert data.count(good) == 1
    path.write_bytes(data.replace(good, np.array(damage, np.int32).tobytes()))
    with pytest.raises(ShardError, match=r"train-00000\.arrow is no whole Arrow IPC file"):
        ShardDataset(tmp_path)


@pytest.mark.parametrize("column", SCHEMA.names)
def test_rows_with_nothing_in_a_column_are_refused(tmp_path: Path, column: str) -> None:
    write_table(tmp_path / "x.arrow", SCHEMA, {**ROW, column: [None]})
    with pytest.raises(ShardError, match="without an id, label, group, image or items"):
        ShardDataset(tmp_path)


@pytest.mark.parametrize("hole", [{"kinds": None}, {"words": None}, {"words": ["a", None]}])
def test_items_with_nothing_in_a_member_are_refused(tmp_path: Path, hole: dict[str, object]) -> None:
    write_table(tmp_path / "x.arrow", SCHEMA, {**ROW, "items": [{**asdict(Items()), **hole}]})
    with pytest.raises(ShardError, match="without an id, label, group, image or items"):
        ShardDataset(tmp_path)


def test_items_come_back_in_the_order_of_the_photos(tmp_path: Path) -> None:
    some = Items(2, 3.0, 12.5, 0.25, 9.0, ("case", "phone"))
    with ShardWriter(tmp_path, "a") as writer:
        for number in range(3):
            writer.write(Photo(str(number), 1, "g", b"jpeg", some if number == 1 else Items()))
    assert list(ShardDataset(tmp_path).items()) == [Items(), some, Items()]


def test_a_shard_without_rows_is_an_empty_dataset(tmp_path: Path) -> None:
    pa.ipc.new_file(str(tmp_path / "x.arrow"), SCHEMA).close()
    assert len(ShardDataset(tmp_path)) == 0


def test_a_dataset_travels_as_its_folder(tmp_path: Path) -> None:
    write(tmp_path, photos(500))
    dataset = ShardDataset(tmp_path)
    data = pickle.dumps(dataset)
    assert len(data) < 1000
    copy = pickle.loads(data)  # noqa: S301  # our own, a line above
    assert np.array_equal(copy.labels, dataset.labels)


def test_an_empty_shard_where_one_is_wanted(tmp_path: Path) -> None:
    with ShardWriter(tmp_path / "none", "a"):
        pass
    with ShardWriter(tmp_path / "one", "a", even_empty=True):
        pass
    assert list((tmp_path / "none").iterdir()) == []
    assert len(ShardDataset(tmp_path / "one")) == 0


def test_other_labels_are_refused_unless_asked_for(tmp_path: Path) -> None:
    with ShardWriter(tmp_path, "a") as writer:
        writer.write(Photo("x", 7, "g", b"jpeg"))
    with pytest.raises(ShardError, match="labels outside 1 to 5"):
        ShardDataset(tmp_path)
    assert list(ShardDataset(tmp_path, (0, 7)).labels) == [7]
    assert list(pickle.loads(pickle.dumps(ShardDataset(tmp_path, (0, 7)))).labels) == [7]  # noqa: S301
