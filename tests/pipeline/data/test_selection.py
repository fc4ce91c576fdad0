from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipeline.data.selection import select
from pipeline.errors import UserError


def make(folder: Path, photos: str = "", records: str = "") -> Path:
    for name in photos.split():
        path = folder / "bin-images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    for name in records.split():
        path = folder / "metadata" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"EXPECTED_QUANTITY": 1}))
    return folder


def test_a_folder_is_taken_whole_but_for_what_lies_beside(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg 2.png 4.jpg .DS_Store", "1 2 3")
    make(tmp_path / "native", "9.jpg")
    (tmp_path / "README.md").write_text("about")
    chosen = select(tmp_path)
    assert sorted(chosen.files) == [
        "bin-images/1.jpg",
        "bin-images/2.png",
        "bin-images/4.jpg",
        "metadata/1.json",
        "metadata/2.json",
        "metadata/3.json",
    ]
    assert (chosen.photos, chosen.labels, chosen.missing, chosen.unlabelled) == (3, 3, ["3"], ["4"])


def test_a_file_list_takes_its_ids_alone_and_goes_along(tmp_path: Path) -> None:
    make(tmp_path, "00710.jpg 8.jpg 9.jpg", "00710 8 9")
    listed = tmp_path / "list.json"
    listed.write_text(
        json.dumps({"1": ["data/metadata/710.json"], "2": ["data/metadata/8.json", "data/metadata/7.json"]})
    )
    chosen = select(tmp_path, file_list=listed)
    assert set(chosen.files) == {
        "bin-images/00710.jpg",
        "bin-images/8.jpg",
        "metadata/00710.json",
        "metadata/8.json",
        "metadata/file_list.json",
    }
    assert chosen.missing == ["7"]
    assert chosen.files["metadata/file_list.json"] == listed


def test_zeros_mean_something_where_both_spellings_are_listed(tmp_path: Path) -> None:
    make(tmp_path, "01021.jpg 5.jpg", "01021 5")
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps({"1": ["01021.json", "1021.json", "00005.json"]}))
    chosen = select(tmp_path, file_list=listed)
    assert "bin-images/01021.jpg" in chosen.files
    assert "bin-images/5.jpg" not in chosen.files
    assert chosen.missing == ["00005", "1021"]


def test_a_csv_labels_any_folder_of_photos(tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    (photos / "shelf 1").mkdir(parents=True)
    (photos / "shelf 1" / "ä.jpg").write_bytes(b"x")
    (photos / "b.PNG").write_bytes(b"x")
    (photos / "notes.txt").write_bytes(b"x")
    labels = tmp_path / "mine.csv"
    labels.write_text("\ufeffLabel, ID ,group\n3,ä,g\n2,b,g\n1,c,g\n,,\n", encoding="utf-8")
    chosen = select(photos, labels)
    assert sorted(chosen.files) == ["bin-images/b.PNG", "bin-images/shelf 1/ä.jpg", "metadata/labels.csv"]
    assert (chosen.labels, chosen.missing, chosen.unlabelled) == (3, ["c"], [])


@pytest.mark.parametrize(
    ("name", "text"), [("labels.csv", "id,label\n1,2\n7,3\n"), ("file_list.json", '{"1": ["1.json", "7.json"]}')]
)
def test_labels_that_lie_in_the_metadata_folder_count(tmp_path: Path, name: str, text: str) -> None:
    make(tmp_path, "1.jpg", "1 2")
    (tmp_path / "metadata" / name).write_text(text)
    assert select(tmp_path).missing == ["7"]


def test_links_are_followed_and_what_cannot_be_taken_is_named(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg", "1 2 3")
    photos = tmp_path / "bin-images"
    (photos / "2.jpg").symlink_to(photos / "1.jpg")
    (photos / "3.jpg").symlink_to(photos / "nowhere.jpg")
    (photos / "line\nbreak.jpg").write_bytes(b"x")
    Path(os.fsdecode(os.fsencode(photos) + b"/\xff.jpg")).write_bytes(b"x")
    chosen = select(tmp_path)
    assert chosen.photos == 2
    assert sorted(chosen.skipped) == ["3.jpg", "\\udcff.jpg", "line\\nbreak.jpg"]
    assert chosen.missing == ["3"]


def test_linked_folders_are_gone_through_once(tmp_path: Path) -> None:
    make(tmp_path, "1.jpg", "1 2 3")
    photos, other = tmp_path / "bin-images", tmp_path / "other"
    other.mkdir()
    (other / "2.jpg").write_bytes(b"x")
    (other / "round").symlink_to(photos)
    (photos / "more").symlink_to(other)
    chosen = select(tmp_path)
    assert (sorted(key for key in chosen.files if key.endswith("jpg")), chosen.missing) == (
        ["bin-images/1.jpg", "bin-images/more/2.jpg"],
        ["3"],
    )


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "1.jpg", "1 2")
    (tmp_path / "bin-images" / "shut").mkdir()
    scan = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("shut"):  # permissions do not keep root out
            raise PermissionError(13, "Permission denied", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(UserError, match=r"cannot read .*shut: Permission denied"):
        select(tmp_path)


@pytest.mark.parametrize("text", ["[]", "{", '{"1": 5}', "[" * 100_000])
def test_a_file_that_is_no_list_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    make(tmp_path, "1.jpg", "1")
    listed = tmp_path / "list.json"
    listed.write_text(text)
    with pytest.raises(UserError, match=r"list\.json"):
        select(tmp_path, file_list=listed)


def test_what_is_no_data_set_is_refused(tmp_path: Path) -> None:
    csv = tmp_path / "labels.csv"
    csv.write_text("file,count\na,1\n")
    with pytest.raises(UserError, match="is no folder"):
        select(tmp_path / "nowhere")
    with pytest.raises(UserError, match="no photos found"):
        select(tmp_path)
    with pytest.raises(UserError, match="no labels found"):
        select(make(tmp_path / "photos", "1.jpg"))
    with pytest.raises(UserError, match="needs a first line id,label"):
        select(tmp_path, csv)
    with pytest.raises(UserError, match="not both"):
        select(tmp_path, csv, csv)


@pytest.mark.abid
def test_the_usual_subset_of_the_real_photos(abid: Path) -> None:
    chosen = select(abid, file_list=abid / "file_list.json")
    assert chosen.photos == 6237
    assert len(chosen.missing) == chosen.labels - chosen.photos
    assert chosen.unlabelled == []
