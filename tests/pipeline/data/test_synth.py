from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path

import pytest
from PIL import Image

from pipeline.data.synth import BREAKAGES, bin_of, plan, synthesize
from pipeline.errors import UserError


def draw(out: Path, photos: int = 12, seed: int = 7, broken: int = 0) -> int:
    return sum(synthesize(out, photos, seed, size=96, broken=broken))


def contents(out: Path) -> dict[str, str]:
    files = (path for path in out.rglob("*") if path.is_file() and path.name != "synth.json")
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    draw(tmp_path / "a")
    draw(tmp_path / "b")
    draw(tmp_path / "c", seed=8)
    assert contents(tmp_path / "a") == contents(tmp_path / "b") != contents(tmp_path / "c")


def test_processes_draw_what_one_process_draws(tmp_path: Path) -> None:
    draw(tmp_path / "many", photos=110)
    draw(tmp_path / "few", photos=30)
    many, few = contents(tmp_path / "many"), contents(tmp_path / "few")
    assert few.items() <= many.items()
    assert len(many) == 220


def test_every_photo_opens_and_has_a_record_that_adds_up(tmp_path: Path) -> None:
    assert draw(tmp_path, photos=20) == 20
    for path in (tmp_path / "bin-images").iterdir():
        with Image.open(path) as photo:
            photo.load()
            assert max(photo.size) == 96
        record = json.loads((tmp_path / "metadata" / f"{path.stem}.json").read_bytes())
        items = record["BIN_FCSKU_DATA"]
        assert 1 <= record["EXPECTED_QUANTITY"] == sum(item["quantity"] for item in items.values()) <= 5
        assert all(asin == item["asin"] for asin, item in items.items())


def test_photos_of_one_bin_share_their_record_and_bins_share_nothing(tmp_path: Path) -> None:
    draw(tmp_path, photos=30)
    seen: set[str] = set()
    for show in plan(30, 7):
        records = {(tmp_path / "metadata" / f"{show.first + shot:05}.json").read_text() for shot in range(show.shots)}
        assert len(records) == 1
        asins = set(json.loads(records.pop())["BIN_FCSKU_DATA"])
        assert not asins & seen
        seen |= asins


def test_a_plan_covers_each_photo_once_and_repeats_bins() -> None:
    shows = list(plan(300, 1))
    numbers = [show.first + shot for show in shows for shot in range(show.shots)]
    assert numbers == list(range(1, 301))
    assert {show.shots for show in shows} == {1, 2, 3}
    assert {len(bin_of(show).items) for show in shows} == {1, 2, 3, 4, 5}


def test_broken_photos_come_after_the_good_ones(tmp_path: Path) -> None:
    assert draw(tmp_path, photos=3, broken=5) == 8
    broken = {how: f"{4 + index:05}" for index, how in enumerate(BREAKAGES)}
    photos, records = tmp_path / "bin-images", tmp_path / "metadata"
    with pytest.raises(OSError, match="truncated"):
        Image.open(io.BytesIO((photos / f"{broken['truncated']}.jpg").read_bytes())).load()
    with pytest.raises(OSError, match="cannot identify"):
        Image.open(io.BytesIO((photos / f"{broken['not a picture']}.jpg").read_bytes()))
    assert json.loads((records / f"{broken['too many items']}.json").read_bytes())["EXPECTED_QUANTITY"] == 7
    assert json.loads((records / f"{broken['no items']}.json").read_bytes())["EXPECTED_QUANTITY"] == 0
    assert not (records / f"{broken['no record']}.json").exists()


def test_a_finished_folder_is_left_alone_and_an_unfinished_one_completed(tmp_path: Path) -> None:
    draw(tmp_path, photos=3)
    photo = tmp_path / "bin-images" / "00002.jpg"
    photo.unlink()
    assert draw(tmp_path, photos=3) == 3
    assert not photo.exists()
    note = tmp_path / "synth.json"
    note.write_text(note.read_text().replace("true", "false"))
    draw(tmp_path, photos=3)
    assert photo.exists()


def test_a_folder_with_something_else_is_refused(tmp_path: Path) -> None:
    draw(tmp_path / "used", photos=3)
    with pytest.raises(UserError, match="holds other files"):
        draw(tmp_path / "used", photos=4)
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError, match="cannot use"):
        draw(tmp_path / "file")
