from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from steps.common.job import Hosts, JobError
from steps.common.labels import AUXILIARY, AUXILIARY_LABELS, SPLITS
from steps.common.shards import ShardDataset
from steps.common.split_report import MISSING, SplitReport, SplitSettings, read_assignments, read_split_report
from steps.split.labels import OUTSIDE
from steps.split.run import HELD_OUT, Folders, split

if TYPE_CHECKING:
    from tests.steps.split.conftest import Bins, Draw

SETTINGS = SplitSettings(salt="s", validation=0.25, test=0.25, size=32)
ALONE = Hosts("algo-1", ("algo-1",))
Run = Callable[..., SplitReport]


@pytest.fixture
def run(bins: Bins, tmp_path: Path) -> Run:
    """Return a function that splits the bins into tmp_path/<out>."""

    def call(out: str = "out", previous: str | None = None, **changes: object) -> SplitReport:
        earlier = tmp_path / previous / "report" if previous else None
        settings = SplitSettings.model_validate(SETTINGS.model_dump() | changes)
        return split(Folders(bins.photos, bins.labels, tmp_path / out, earlier), settings, ALONE)

    return call


def assigned(folder: Path) -> dict[str, str]:
    return {row.id: row.split for row in read_assignments(folder / "report")}


def photo_rows(folder: Path) -> set[tuple[str, int, str, str, bytes]]:
    return {
        (name, photo.label, photo.id, photo.group, photo.image)
        for name in SPLITS
        for photo in ShardDataset(folder / name)
    }


def test_what_comes_out(bins: Bins, run: Run, tmp_path: Path) -> None:
    bins.fill(0, 60)
    report = run()
    assert report == read_split_report(tmp_path / "out" / "report")
    assert report.photos == report.listed == 60
    assert {name: sum(counts.values()) for name, counts in report.counts.items()} == {
        name: len(ShardDataset(tmp_path / "out" / name)) for name in SPLITS
    }
    assert (report.groups.number, report.groups.largest, report.groups.by_source) == (20, 3, {"record": 20})
    assert report.missing is not None
    assert report.missing.total == report.rejected.total == report.left_out.total == 0
    text = json.loads((tmp_path / "out/report/split.json").read_text(encoding="utf-8"))
    assert text["groups"]["crossing"] == 0
    assert text["largest_deviation"] > 2


def test_the_same_data_give_the_same_bytes(bins: Bins, run: Run, tmp_path: Path) -> None:
    bins.fill(0, 60)
    assert run("a").data_hash == run("b").data_hash
    for path in (tmp_path / "a").rglob("*.*"):
        assert path.read_bytes() == (tmp_path / "b" / path.relative_to(tmp_path / "a")).read_bytes()


def test_a_second_run_into_the_same_folder_replaces_the_first(bins: Bins, run: Run, tmp_path: Path) -> None:
    bins.fill(0, 60)
    run()
    first = photo_rows(tmp_path / "out")
    run(salt="another")
    second = photo_rows(tmp_path / "out")
    assert {row[1:] for row in second} == {row[1:] for row in first}
    assert second != first


def test_two_hosts_make_the_assignment_of_one(bins: Bins, run: Run, tmp_path: Path) -> None:
    bins.fill(0, 60)
    for number in range(2, 60, 6):  # the bin's photos of 1 to 5 items may all be on the other host
        bins.record(f"{number:05d}", 7, [f"bin {number // 3}", f"item {number}"])
    bins.photo("00004.jpg", b"broken")
    (bins.photos / "00009.jpg").unlink()
    (bins.labels / "broken.json").write_text("{", encoding="utf-8")
    single = run("single")
    for rank in range(2):  # ShardedByS3Key, each host with its own disk; the outputs end under one prefix
        photos = tmp_path / f"photos{rank}"
        photos.mkdir()
        for path in sorted(bins.photos.iterdir())[rank::2]:
            (photos / path.name).symlink_to(path)
        hosts = Hosts(f"algo-{rank + 1}", ("algo-1", "algo-2"))
        split(Folders(photos, bins.labels, tmp_path / "both"), SETTINGS, hosts)
    assert photo_rows(tmp_path / "both") == photo_rows(tmp_path / "single")
    merged = read_split_report(tmp_path / "both" / "report")
    assert merged.hosts == ["algo-1", "algo-2"]
    assert merged.missing is not None
    assert merged.missing.counts == {MISSING: 1}
    same = {"hosts": ["algo-1"], "missing": single.missing}
    assert merged.model_copy(update=same) == single


def test_limits_that_one_host_cannot_see_are_refused_on_several(bins: Bins, tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"max_missing": 0.1})
    with pytest.raises(JobError, match="--max-missing"):
        split(Folders(bins.photos, bins.labels, tmp_path), settings, Hosts("algo-1", ("algo-1", "algo-2")))


def test_a_host_without_photos_is_no_failure(bins: Bins, tmp_path: Path) -> None:
    bins.csv("id,label", "1,1")
    report = split(Folders(bins.photos, bins.labels, tmp_path / "out"), SETTINGS, Hosts("b", ("a", "b")))
    assert report.photos == 0


def test_new_photos_move_no_old_one(bins: Bins, run: Run, tmp_path: Path) -> None:
    bins.fill(0, 40)
    run("before")
    bins.fill(40, 60)
    run("after")
    before, after = assigned(tmp_path / "before"), assigned(tmp_path / "after")
    assert before.items() <= after.items()


def test_an_earlier_assignment_is_kept_and_what_moves_is_named(bins: Bins, run: Run, tmp_path: Path) -> None:
    bins.fill(3, 60)
    run("before")
    before = assigned(tmp_path / "before")
    other = next(name for name in ("00008", "00011", "00014", "00017", "00020") if before[name] != before["00003"])
    at = int(other)
    bins.photo("00000.jpg", (bins.photos / "00003.jpg").read_bytes())
    bins.record("00000", 1, ["bin 1"])  # joins the bin of 3, 4 and 5, and is smaller than its representative
    bins.record("00003", 4, ["bin 1", "item 3", "shared"])
    bins.photo("x.jpg", (bins.photos / "00003.jpg").read_bytes())
    bins.record("x", 1, ["as alike"])
    bins.photo("y.jpg", (bins.photos / "00003.jpg").read_bytes())
    for name in ("y", f"{at - 2:05d}"):  # an identical list joins one photo of another bin
        bins.record(name, 1, [f"bin {at // 3}"])
    bins.record("00003", 1, [f"bin {at // 3}"])  # and now the whole bin of 3
    bins.record("00004", 1, ["bin 1", f"bin {at // 3}"])
    report = run("after", previous="before")
    after = assigned(tmp_path / "after")
    moved = {name for name, where in before.items() if after[name] != where}
    assert {name for name, _ in report.moved.first} == moved
    assert 0 < len(moved) <= 3
    assert after["00000"] == after["00005"]


def test_the_earlier_report_may_be_the_one_that_is_replaced(bins: Bins, run: Run, tmp_path: Path) -> None:
    bins.fill(0, 60)
    run()
    before = assigned(tmp_path / "out")
    run(salt="another", previous="out")
    assert assigned(tmp_path / "out") == before


def test_labels_without_records_are_grouped_by_picture(bins: Bins, run: Run, draw: Draw) -> None:
    for number in range(30):
        bins.photo(f"{number}.jpg", draw(number // 2, (64 + number % 2 * 64, 48 + number % 2 * 48)))
    bins.csv(
        "id,label,group",
        *(f"{number},{number % 5 + 1}," for number in range(26)),
        *(f"{n},1,own" for n in range(26, 30)),
    )
    report = run()
    assert report.groups.by_source == {"csv": 1, "picture": 13}
    assert report.groups.largest == 4


def test_hostile_photos_are_named_and_left_out(bins: Bins, run: Run, draw: Draw, tmp_path: Path) -> None:
    bins.fill(0, 60)
    bins.photo("00003.jpg", draw(3)[:300])
    bins.photo("00004.jpg", b"<html>no photo</html>")
    bins.photo("00005.jpg", b"")
    bins.photo("00006.jpg", draw(6, form="PNG"))  # the content tells, not the name
    bins.photo("notes.txt", b"hello")
    bins.photo("stranger.jpg", draw(1))
    bins.photo("six.jpg", draw(2))
    bins.record("six", -6, ["z"])
    report = run(max_rejected=0.06)
    assert report.rejected.counts == {"not a picture": 2, "truncated or damaged": 1}
    assert report.left_out.counts == {"label outside 1 to 5": 1, "no label": 1, "not named as a picture": 1}
    assert report.photos == 57
    assert assigned(tmp_path / "out").keys().isdisjoint({"00003", "00004", "00005", "six", "stranger"})
    with (tmp_path / "out/report/rejected.csv").open(encoding="utf-8", newline="") as file:
        assert ["rejected", "00004", "not a picture"] in list(csv.reader(file))


@pytest.mark.parametrize("form", ["records", "pictures"])
def test_too_many_rejects_fail_with_one_line_and_a_list(bins: Bins, run: Run, tmp_path: Path, form: str) -> None:
    bins.fill(0, 60)
    if form == "pictures":
        for path in bins.labels.iterdir():
            path.unlink()
        bins.csv("id,label", *(f"{number:05d},{number % 5 + 1}" for number in range(60)))
    for number in range(4):
        bins.photo(f"{number:05d}.jpg", b"broken")
    with pytest.raises(JobError, match=r"4 of 60 photos \(6\.7%\).*5\.0%: 00000 \(not a picture\)"):
        run()
    assert (tmp_path / "out/report/rejected.csv").read_text(encoding="utf-8").count("not a picture") == 4
    assert not (tmp_path / "out/report/split.json").exists()


def test_missing_photos_are_counted_and_fatal_only_over_the_limit(bins: Bins, run: Run) -> None:
    bins.fill(0, 60)
    for number in range(20):
        (bins.photos / f"{number:05d}.jpg").unlink()
    report = run()
    assert report.missing is not None
    assert report.missing.counts == {MISSING: 20}
    assert report.missing.first[0] == ("00000", MISSING)
    with pytest.raises(JobError, match="20 of 60 listed photos"):
        run(max_missing=0.3)


def test_no_photo_for_any_label(bins: Bins, run: Run, draw: Draw) -> None:
    bins.csv("id,label", "1,1")
    bins.photo("2.jpg", draw(1))
    with pytest.raises(JobError, match="none of the 1 labels has a photo"):
        run()


def test_a_split_that_would_be_empty(bins: Bins, run: Run) -> None:
    bins.fill(0, 3)
    with pytest.raises(JobError, match="no photo falls into"):
        run()


def test_photos_of_bins_that_never_held_one_to_five_items_all_help_to_train(
    bins: Bins, run: Run, draw: Draw, tmp_path: Path
) -> None:
    bins.fill(0, 60)
    before = run("before")
    assert (before.auxiliary, len(ShardDataset(tmp_path / "before" / AUXILIARY))) == ({}, 0)
    for number in range(60, 80):
        bins.photo(f"{number:05d}.jpg", draw(number))
        bins.record(f"{number:05d}", number - 54, [f"item {number}"])
    bins.photo("empty.jpg", draw(80))
    bins.record("empty", 0, [])
    bins.photo("unknown.jpg", draw(81))
    bins.record("unknown", 7, [])  # nothing tells which bin it shows
    report = run("out")
    shards = ShardDataset(tmp_path / "out" / AUXILIARY, AUXILIARY_LABELS)
    assert report.auxiliary == {"0": 1, "6": 1, "7": 1, "8": 1, "9": 17}
    assert len(shards) == 21
    assert {photo.label for photo in shards} == {0, 6, 7, 8, 9}
    assert report.left_out.counts == {OUTSIDE: 1}
    assert report.counts == before.counts
    rows = assigned(tmp_path / "out")
    assert [rows[photo.id] for photo in shards] == [AUXILIARY] * len(shards)
    assert report.content_hash != before.content_hash


def test_no_auxiliary_photo_shows_a_bin_that_is_scored(bins: Bins, run: Run, draw: Draw, tmp_path: Path) -> None:
    bins.fill(0, 60)
    for number in range(0, 60, 3):  # the third photo of each bin now shows more than 5 items
        bins.record(f"{number:05d}", 6 + number, [f"bin {number // 3}", f"item {number}"])
    report = run()
    bin_of = {row.id: int(row.id) // 3 for row in read_assignments(tmp_path / "out" / "report")}
    rows = assigned(tmp_path / "out")
    scored = {bin_of[photo_id] for photo_id, split in rows.items() if split in {"validation", "test"}}
    helping = {bin_of[photo_id] for photo_id, split in rows.items() if split == AUXILIARY}
    assert helping
    assert not helping & scored
    assert helping == set(range(20)) - scored  # and all the others help
    assert report.left_out.counts == {HELD_OUT: len(scored)}
    assert report.auxiliary.keys() <= {"6", "9"}


def test_a_bin_that_has_helped_to_train_trains_for_good(bins: Bins, run: Run, draw: Draw, tmp_path: Path) -> None:
    bins.fill(0, 60)
    numbers = range(100, 200, 10)
    for number in numbers:
        bins.photo(f"{number:05d}.jpg", draw(number))
        bins.record(f"{number:05d}", 7, [f"item {number}"])
    run("before")
    for number in numbers:  # now with fewer items
        bins.photo(f"{number + 1:05d}.jpg", draw(number + 1))
        bins.record(f"{number + 1:05d}", 2, [f"item {number}"])
    run("alone")
    joined = [f"{number + 1:05d}" for number in numbers]
    assert {assigned(tmp_path / "alone")[photo_id] for photo_id in joined} > {"train"}
    run("after", previous="before")
    assert {assigned(tmp_path / "after")[photo_id] for photo_id in joined} == {"train"}


def test_an_auxiliary_photo_that_does_not_decode_fails_nothing(bins: Bins, run: Run) -> None:
    bins.fill(0, 60)
    bins.photo("empty.jpg", b"no photo")
    bins.record("empty", 0, [])
    report = run(max_rejected=0.0)
    assert report.rejected.total == 0
    assert report.left_out.total == 1


def test_only_photos_that_train_carry_their_record(bins: Bins, run: Run, tmp_path: Path) -> None:
    bins.fill(0, 60)
    run()
    for name in SPLITS:
        kinds = {items.kinds for items in ShardDataset(tmp_path / "out" / name).items()}
        assert kinds == ({2} if name == "train" else {0})
