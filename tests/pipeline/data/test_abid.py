from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.data.abid import (
    Item,
    file_list,
    is_id,
    pairs,
    photo_fault,
    photo_key,
    read_list,
    record_fault,
    spellings,
)
from pipeline.errors import UserError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "list"
    path.write_text(text)
    return path


def test_the_usual_subsets_list_gives_ids_with_labels(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps({"1": ["data/metadata/00710.json"], "5": ["100313.json", "9.jpg"]}))
    assert read_list(path) == [
        Item("00710", ("00710", "710"), "1"),
        Item("100313", ("100313",), "5"),
        Item("9", ("9", "00009"), "5"),
    ]
    assert [item.id for item in read_list(path, limit=2)] == ["00710", "100313"]


def test_a_text_has_an_id_a_line(tmp_path: Path) -> None:
    path = written(tmp_path, "# mine\n00710\n\n  bin-images/12.jpg\n00710\n")
    assert [(item.id, item.label) for item in read_list(path)] == [("00710", None), ("12", None)]


def test_two_spellings_in_a_list_are_two_bins(tmp_path: Path) -> None:
    path = written(tmp_path, "1021\n01021\n00007\n")
    assert [item.spellings for item in read_list(path)] == [("1021",), ("01021",), ("00007", "7")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no photo"),
        ("# nothing", "names no photo"),
        ("../../etc/passwd", "no id"),
        ("12\n12a\n", "names '12a', which is no id"),
        ("\uff11\uff12", "no id"),  # digits of another script
        ("[]", "no list of files by label"),
        ('{"1": "12"}', "no list of files by label"),
        ('{"1": [null]}', "no id"),
        ('{"1": ["12"], "2": ["12"]}', "lists 12 under 1 and under 2"),
        ("{", "cannot read"),
        ("[" * 100_000, "cannot read"),
    ],
)
def test_a_list_that_says_nothing_sensible_is_refused_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_list(written(tmp_path, text))
    with pytest.raises(UserError, match="cannot read"):
        read_list(tmp_path / "none")


@given(st.text(max_size=12))
def test_no_id_leaves_its_folder(text: str) -> None:
    if is_id(text):
        assert text.isascii()
        assert text.isdigit()
        assert Path("/a", photo_key(text)).resolve() == Path("/a/bin-images", f"{text}.jpg")


@given(st.integers(0, 600_000), st.integers(0, 2))
def test_spellings_are_one_number_each_once_the_given_one_first(number: int, zeros: int) -> None:
    id = "0" * zeros + str(number)
    found = spellings(id)
    assert found[0] == id
    assert len(set(found)) == len(found)
    assert {int(other) for other in found} == {number}
    assert {str(number), f"{number:05}"} <= set(found)
    assert spellings(id, found) == (id,)


def test_a_listing_is_photos_with_their_records() -> None:
    photos = {"bin-images/1.jpg": 10, "bin-images/00002.jpg": 20, "bin-images/": 0, "bin-images/x/3.jpg": 5}
    records = {"metadata/1.json": 1, "metadata/2.json": 1, "metadata/README": 1}
    items, single = pairs(photos, records)
    assert items == [Item("1", ("1",), None, 10)]
    assert single == [("00002", "no record"), ("2", "no photo")]


@pytest.mark.parametrize("content", [b"", b"\xff\xd8", b"<Error/>", b"\xff\xd8\xff\xe0 and no end", b"GIF89a\xff\xd9"])
def test_what_is_no_whole_jpeg_is_seen(content: bytes) -> None:
    assert photo_fault(content)


def test_whole_jpegs_pass(abid: Path) -> None:
    for path in sorted((abid / "bin-images").iterdir())[:50]:
        assert photo_fault(path.read_bytes()) is None
        assert record_fault((abid / "metadata" / f"{path.stem}.json").read_bytes()) is None


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b"<html>"])
def test_what_is_no_record_is_seen(content: bytes) -> None:
    assert record_fault(content) == "no JSON record"


def test_a_record_of_another_count_is_another_bin() -> None:
    record = b'{"EXPECTED_QUANTITY": 2}'
    assert record_fault(record) is record_fault(record, "2") is None
    assert record_fault(record, "3") == "another bin under the other spelling"


def test_a_file_list_has_what_was_read(tmp_path: Path) -> None:
    items = [Item("00710", ("00710",), "1"), Item("12", ("12",), "3")]
    text = file_list(items)
    assert text
    assert [(item.id, item.label) for item in read_list(written(tmp_path, text))] == [("00710", "1"), ("12", "3")]
    assert file_list([Item("12", ("12",))]) is None
