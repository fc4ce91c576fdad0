from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import scale
from benchmarks.full_size import Rates
from benchmarks.notebook import copy_into_classes, labelled
from benchmarks.splitting import many, repeated


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three photos: of 2 items, of 9, and of 5."""
    for part in ("bin-images", "metadata"):
        (tmp_path / "photos" / part).mkdir(parents=True)
    for name, count in (("00001", 2), ("00002", 9), ("00003", 5)):
        (tmp_path / "photos" / "bin-images" / f"{name}.jpg").write_bytes(b"photo " + name.encode())
        (tmp_path / "photos" / "metadata" / f"{name}.json").write_text(json.dumps({"EXPECTED_QUANTITY": count}))
    return tmp_path / "photos"


def test_photos_outside_the_task_are_passed_over(folder: Path, tmp_path: Path) -> None:
    assert [(photo.stem, count) for photo, count in labelled(folder, 9)] == [("00001", 2), ("00003", 5)]
    assert [photo.stem for photo, _ in labelled(folder, 1)] == ["00001"]
    assert copy_into_classes(folder, tmp_path / "classes", 9) == 2
    assert (tmp_path / "classes" / "5" / "00003.jpg").read_bytes() == b"photo 00003"


def test_photos_are_repeated_under_ids_of_their_own(folder: Path, tmp_path: Path) -> None:
    out = repeated(folder, tmp_path / "many", 5)
    contents = [path.read_bytes() for path in sorted((out / "bin-images").iterdir())]
    assert contents == [b"photo 00001", b"photo 00003"] * 2 + [b"photo 00001"]
    assert [count for _, count in labelled(out, 9)] == [2, 5, 2, 5, 2]


def test_many_photos_are_links_with_records_of_their_own(tmp_path: Path) -> None:
    out = many(tmp_path, 250)
    photos = list((out / "bin-images").iterdir())
    assert len(photos) == 250
    assert len({photo.stat().st_ino for photo in photos}) == 100
    records = [json.loads(path.read_text()) for path in sorted((out / "metadata").iterdir())]
    assert len({next(iter(record["BIN_FCSKU_DATA"])) for record in records}) == 125
    assert {record["EXPECTED_QUANTITY"] for record in records} == {1, 2, 3, 4, 5}


def test_a_rate_that_falls_with_the_photos_is_a_bar_missed() -> None:
    assert scale.row("Split", 100, 50.0, 45.0).met is True
    assert scale.row("Split", 100, 50.0, 30.0).met is False


def test_the_page_says_what_is_measured_and_what_calculated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "scale.md"
    page.write_text("# By hand\n")
    monkeypatch.setattr(scale, "PAGE", page)
    figures = [scale.row("Split", 100, 50.0, 45.0)]
    for _ in range(2):
        scale.write_page(figures, Rates(200.0, 500.0, 15.0), "drawn photos")
    text = page.read_text()
    assert text.startswith("# By hand\n")
    assert text.count("### Measured") == text.count("### Calculated: all 535,234 photos") == 1
    assert "on drawn photos" in text
