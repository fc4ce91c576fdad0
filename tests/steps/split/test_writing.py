from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from steps.common.job import JobError
from steps.common.shards import ShardDataset
from steps.common.split_report import SplitSettings, add_hashes, read_assignments
from steps.split.aside import Aside
from steps.split.assign import Assignment
from steps.split.photos import Source
from steps.split.writing import Written, clear, write_shards

if TYPE_CHECKING:
    from tests.steps.split.conftest import Bins, Draw

SETTINGS = SplitSettings(salt="s", size=32)
PHOTOS = st.lists(st.tuples(st.text(max_size=5), st.integers(1, 5), st.sampled_from(["aa", "bb"])), max_size=8)


def test_shards_and_assignment_hold_the_same_photos(bins: Bins, draw: Draw, tmp_path: Path) -> None:
    for number in range(20):
        bins.photo(f"{number}.jpg", draw(number))
    bins.photo("7.jpg", b"not a picture")
    sources = [Source(str(number), number % 5 + 1, str(bins.photos / f"{number}.jpg")) for number in range(20)]
    groups = {str(number): f"record:{number // 2}" for number in range(20)}
    aside = Aside(io.BytesIO())
    written = write_shards(sources, groups, Assignment(SETTINGS), SETTINGS, tmp_path, "-algo-2", aside)
    rows = {row.id: row for row in read_assignments(tmp_path / "report")}
    assert list(rows) == [str(number) for number in range(20) if number != 7]
    assert aside.named("rejected").first == [("7", "not a picture")]
    seen = 0
    for split in {row.split for row in rows.values()}:
        assert [path.name for path in (tmp_path / split).iterdir()] == [f"{split}-algo-2-00000.arrow"]
        for photo in ShardDataset(tmp_path / split):
            assert (photo.group, photo.label) == (groups[photo.id], int(photo.id) % 5 + 1)
            assert rows[photo.id].split == split
            assert Image.open(io.BytesIO(photo.image)).size == (43, 32)
            seen += 1
    assert seen == written.photos == 19


@given(PHOTOS, st.integers(0, 8))
def test_hashes_know_parts_but_no_order(photos: list[tuple[str, int, str]], cut: int) -> None:
    def of(part: list[tuple[str, int, str]]) -> tuple[str, str]:
        written = Written()
        for photo_id, label, digest in part:
            written.add(Source(photo_id, label, ""), "test", digest)
        return written.hashes()

    whole, first, second = of(photos), of(photos[:cut]), of(photos[cut:])
    assert of(photos[::-1]) == whole
    assert tuple(add_hashes(one, two) for one, two in zip(first, second, strict=True)) == whole


@pytest.mark.parametrize("other", [("2", 1, "aa"), ("1", 2, "aa"), ("1", 1, "bb")])
def test_the_content_hash_knows_ids_labels_and_bytes(other: tuple[str, int, str]) -> None:
    one, two = Written(), Written()
    one.add(Source("1", 1, ""), "test", "aa")
    two.add(Source(other[0], other[1], ""), "test", other[2])
    assert one.hashes()[0] != two.hashes()[0]


def test_what_an_earlier_run_left_goes(tmp_path: Path) -> None:
    for name in (
        "train/train-00000.arrow",
        "train/train-algo-2-00013.arrow",
        "test/.test-00001.partial",
        "test/notes.txt",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "report").mkdir()
    for name in ("split.json", "split-algo-2.json", "assignments.csv", "rejected.csv", "mine.csv"):
        (tmp_path / "report" / name).touch()
    clear(tmp_path, "")
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == ["mine.csv", "notes.txt"]


def test_what_other_hosts_write_stays(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "report").mkdir()
    for host in ("algo-1", "algo-2", "algo-20"):
        (tmp_path / "train" / f"train-{host}-00000.arrow").touch()
        (tmp_path / "report" / f"split-{host}.json").touch()
    clear(tmp_path, "-algo-2")
    left = sorted(path.name for path in tmp_path.rglob("*.*"))
    assert left == ["split-algo-1.json", "split-algo-20.json", "train-algo-1-00000.arrow", "train-algo-20-00000.arrow"]


def test_shards_of_others_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "mine.arrow").touch()
    with pytest.raises(JobError, match=r"mine\.arrow.*empty folder"):
        clear(tmp_path, "")
    assert (tmp_path / "train" / "mine.arrow").exists()
