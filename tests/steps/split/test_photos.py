from __future__ import annotations

import io
from pathlib import Path

from steps.split.aside import Aside
from steps.split.labels import NO_LABEL, OUTSIDE, Labels
from steps.split.photos import OTHER_FILE, TWICE, list_files, match


def matched(files: list[str], labels: Labels) -> tuple[list[tuple[str, int, str]], list[tuple[str, str]]]:
    aside = Aside(io.BytesIO())
    sources = match(files, labels, aside)
    return [(source.id, source.label, source.path) for source in sources], aside.named("left out").first


def test_files_of_all_folders_but_hidden_ones(tmp_path: Path) -> None:
    for name in ("b/2.jpg", "1.jpg", "b/.x.jpg", ".cache/3.jpg", "a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert list(list_files(tmp_path)) == [f"{tmp_path}/{name}" for name in ("1.jpg", "a.txt", "b/2.jpg")]
    assert list(list_files(tmp_path / "nowhere")) == []


def test_photos_find_their_labels_in_natural_order() -> None:
    labels = Labels("labels.csv", by_id={"10": 1, "9": 2, "x": 3, "gone": 4}, aside={"11": OUTSIDE})
    files = ["p/10.jpg", "p/11.jpg", "p/12.jpg", "p/9.PNG", "p/x", "p/x.y.jpg"]
    sources, left_out = matched(files, labels)
    assert sources == [("9", 2, "p/9.PNG"), ("10", 1, "p/10.jpg"), ("x", 3, "p/x")]
    assert left_out == [("11", OUTSIDE), ("12", NO_LABEL), ("x.y", NO_LABEL)]


def test_other_files_and_seconds_are_left_out() -> None:
    labels = Labels("labels.csv", by_id={"1": 1, "2": 2})
    sources, left_out = matched(["p/1.jpg", "p/1.png", "p/2.txt", "p/\udcff.jpg", "q/2.jpg"], labels)
    assert sources == [("1", 1, "p/1.jpg"), ("2", 2, "q/2.jpg")]
    assert left_out == [("1", TWICE), ("2.txt", OTHER_FILE), ("\\udcff.jpg", OTHER_FILE)]


def test_the_other_spelling_is_found_and_told_as_the_labels_spell_it() -> None:
    labels = Labels("file_list.json", by_id={"00710": 1, "711": 2}, aside={"00712": OUTSIDE})
    sources, left_out = matched(["p/710.jpg", "p/00711.jpg", "p/712.jpg"], labels)
    assert sources == [("00710", 1, "p/710.jpg"), ("711", 2, "p/00711.jpg")]
    assert left_out == [("712", OUTSIDE)]


def test_the_other_spelling_is_not_taken_from_its_own_photo() -> None:
    labels = Labels("file_list.json", by_id={"00710": 1})
    sources, left_out = matched(["p/710.jpg", "p/00710.jpg"], labels)
    assert sources == [("00710", 1, "p/00710.jpg")]
    assert left_out == [("710", NO_LABEL)]


def test_two_other_spellings_are_one_photo_and_a_second() -> None:
    sources, left_out = matched(["p/00710.jpg", "p/0710.jpg"], Labels("labels.csv", by_id={"710": 1}))
    assert sources == [("710", 1, "p/00710.jpg")]
    assert left_out == [("0710", TWICE)]


def test_where_labels_tell_the_spellings_apart_only_exact_ids_match() -> None:
    labels = Labels("file_list.json", by_id={"1021": 5, "01022": 4}, aside={"01021": OUTSIDE})
    sources, left_out = matched(["p/1021.jpg", "p/01021.jpg", "p/1022.jpg"], labels)
    assert sources == [("1021", 5, "p/1021.jpg")]
    assert left_out == [("01021", OUTSIDE), ("1022", NO_LABEL)]
