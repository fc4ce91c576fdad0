from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.common.job import JobError
from steps.split import labels as module
from steps.split.labels import CONFLICT, MALFORMED, MALFORMED_ID, MALFORMED_ROW, NO_LABEL, OUTSIDE, Labels, read_labels

Problems = list[tuple[str, str]]


def read(folder: Path) -> tuple[Labels, Problems]:
    problems: Problems = []
    return read_labels(folder, lambda where, what: problems.append((where, what))), problems


def read_text(folder: Path, text: str | bytes) -> tuple[Labels, Problems]:
    (folder / "labels.csv").write_bytes(text.encode() if isinstance(text, str) else text)
    return read(folder)


def write_record(folder: Path, photo_id: str, quantity: object, *items: str) -> None:
    record = {"BIN_FCSKU_DATA": {item: {} for item in items}, "EXPECTED_QUANTITY": quantity}
    (folder / f"{photo_id}.json").write_text(json.dumps(record), encoding="utf-8")


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (3, 3),
        (3.0, 3),
        ("3", 3),
        (" 3 ", 3),
        ("3.0", 3),
        ("3.", 3),
        ("+3", 3),
        ("-1", -1),
        ("007", 7),
        (10**30, 10**30),
    ],
)
def test_counts(value: object, count: int) -> None:
    assert module.to_count(value) == count


@pytest.mark.parametrize(
    "value", [None, "", "three", "2.5", "3e0", "٣", "1_0", "9" * 10, True, 2.5, float("nan"), float("inf"), [3], {}]
)
def test_what_is_no_count(value: object) -> None:
    assert module.to_count(value) is None


def test_csv_as_spreadsheets_write_it(tmp_path: Path) -> None:
    text = '\ufeff"Label","ID", Group,"note"\r\n"3","00710","shelf ""A"", left","x, y"\r\n\r\n5.0, b-7 ,,\r\n'
    labels, problems = read_text(tmp_path, text)
    assert labels.form == "labels.csv"
    assert labels.by_id == {"00710": 3, "b-7": 5}
    assert labels.groups == {"00710": 'csv:shelf "A", left'}
    assert problems == []


def test_groups_may_hold_slashes(tmp_path: Path) -> None:
    labels, problems = read_text(tmp_path, "id,label,group\n1,1,a/b\n2,1,a\\b\n3,1,/\n")
    assert labels.groups == {"1": "csv:a/b", "2": "csv:a\\b", "3": "csv:/"}
    assert problems == []


def test_rows_that_cannot_be_read_are_named_and_harm_no_other(tmp_path: Path) -> None:
    rows = ["id,label", "1,1", '2,"2', "3", "4,4,4", "../5,5", ",1", "a\x01,1", "6,six", "7,", "8,9", "9,3", '"10"x,1']
    labels, problems = read_text(tmp_path, "\n".join(rows))
    assert labels.by_id == {"1": 1, "9": 3}
    assert labels.aside == {"6": MALFORMED, "7": NO_LABEL, "8": OUTSIDE}
    assert problems == [
        ("labels.csv line 3", MALFORMED_ROW),
        ("labels.csv line 4", MALFORMED_ROW),
        ("labels.csv line 5", MALFORMED_ROW),
        ("labels.csv line 6", MALFORMED_ID),
        ("labels.csv line 7", MALFORMED_ID),
        ("labels.csv line 8", MALFORMED_ID),
        ("labels.csv line 9", MALFORMED),
        ("labels.csv line 10", NO_LABEL),
        ("labels.csv line 13", MALFORMED_ROW),
    ]


def test_an_id_listed_twice_counts_once_and_not_at_all_when_the_rows_differ(tmp_path: Path) -> None:
    rows = [
        "id,label,group",
        "1,1,a",
        "1,1,a",
        "2,1,a",
        "2,2,a",
        "2,2,a",
        "3,1,a",
        "3,1,b",
        "4,9,",
        "4,1,",
        "5,1,",
        "5,x,",
    ]
    labels, problems = read_text(tmp_path, "\n".join(rows))
    assert labels.by_id == {"1": 1}
    assert labels.aside == dict.fromkeys("2345", CONFLICT)
    assert [line for line, _ in problems] == [f"labels.csv line {line}" for line in (5, 6, 8, 10, 12)]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_line_ends(tmp_path: Path, newline: str) -> None:
    assert read_text(tmp_path, newline.join(["id,label", "1,1", "2,2", ""]))[0].by_id == {"1": 1, "2": 2}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "first line id,label"),
        (b"photo,count\n1,1\n", "first line id,label"),
        (b"id;label\n1;1\n", "first line id,label"),
        ("id,label\n1,1\n".encode("utf-16"), "not UTF-8"),
        (b"id,label\n\xff,1\n", "not UTF-8"),
        (b"id,label\n", "no label from 1 to 5"),
        (b"id,label\n1,6\n", "no label from 1 to 5"),
    ],
)
def test_a_csv_of_no_use_is_one_line(tmp_path: Path, data: bytes, message: str) -> None:
    with pytest.raises(JobError, match=message) as error:
        read_text(tmp_path, data)
    assert "\n" not in str(error.value)


@given(st.lists(st.text(max_size=20), max_size=8))
def test_any_csv_text_is_read_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str]
) -> None:
    text = "\n".join(["id,label,group", "sound,1,", *lines]).encode("utf-8", "surrogatepass")
    try:
        labels, _ = read_text(tmp_path_factory.mktemp("csv"), text)
    except JobError as error:
        assert "UTF-8" in str(error)  # noqa: PT017
    else:
        assert "sound" in labels.by_id.keys() | labels.aside.keys()


def test_file_list_with_records_beside(tmp_path: Path) -> None:
    names = {"1": ["data/metadata/100313.json", "data/metadata/00710.json"], "5": ["bin-images/00711.jpg", "9.json"]}
    (tmp_path / "file_list.json").write_text(json.dumps(names), encoding="utf-8")
    write_record(tmp_path, "00710", 1, "a", "b")
    write_record(tmp_path, "00711", 5, "b", "c")
    write_record(tmp_path, "00712", 9, "c")
    labels, problems = read(tmp_path)
    assert labels.form == "file_list.json"
    assert labels.by_id == {"100313": 1, "00710": 1, "00711": 5, "9": 5}
    assert labels.groups == {"00710": "record:00710", "00711": "record:00710"}
    assert problems == []


def test_what_is_wrong_in_a_file_list_is_named(tmp_path: Path) -> None:
    names = {"1": ["a.json", 7, "", "/", "b.json"], "2": "c.json", "6": ["d.json"], "many": ["e.json"], "3": ["b.json"]}
    (tmp_path / "file_list.json").write_text(json.dumps(names), encoding="utf-8")
    labels, problems = read(tmp_path)
    assert labels.by_id == {"a": 1}
    assert labels.aside == {"b": CONFLICT, "d": OUTSIDE, "e": MALFORMED}
    assert [what for _, what in problems] == [MALFORMED_ID] * 4 + [MALFORMED, CONFLICT]


def test_traversal_in_a_file_list_names_an_id_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file_list.json").write_text(json.dumps({"1": ["../../etc/passwd", "ok.json"]}), encoding="utf-8")
    assert read(tmp_path)[0].by_id == {"passwd": 1, "ok": 1}


@pytest.mark.parametrize("text", ["", "[]", "3", "{", "[" * 100_000, '"\udc80"'])
def test_a_file_list_of_no_use_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "file_list.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(JobError, match="not a list of files by label"):
        read(tmp_path)


def test_metadata_alone(tmp_path: Path) -> None:
    write_record(tmp_path, "1", 1, "a")
    write_record(tmp_path, "2", 2, "a")
    write_record(tmp_path, "3", 9, "a")
    write_record(tmp_path, "4", None, "z")
    write_record(tmp_path, "5", "many", "z")
    write_record(tmp_path, "6", 4)
    (tmp_path / "7.json").write_text("{", encoding="utf-8")
    labels, problems = read(tmp_path)
    assert labels.form == "metadata"
    assert labels.by_id == {"1": 1, "2": 2, "6": 4}
    assert labels.groups == {"1": "record:1", "2": "record:1", "3": "record:1"}
    assert labels.others == {"3": 9}
    assert labels.aside == {"3": OUTSIDE, "4": NO_LABEL, "5": MALFORMED, "7": "malformed record"}
    assert problems == [("4", NO_LABEL), ("5", MALFORMED), ("7.json", "malformed record")]


def test_records_of_photos_that_are_not_labelled_join_groups_too(tmp_path: Path) -> None:
    write_record(tmp_path, "1", 1, "a")
    write_record(tmp_path, "4", 9, "a", "b")
    write_record(tmp_path, "7", 1, "b")
    assert read(tmp_path)[0].groups == {"1": "record:1", "4": "record:1", "7": "record:1"}


def test_other_counts_are_kept_apart_with_their_groups(tmp_path: Path) -> None:
    write_record(tmp_path, "1", 0)
    write_record(tmp_path, "2", 7, "a")
    write_record(tmp_path, "3", -1, "a")
    write_record(tmp_path, "4", 1, "a")
    labels, _ = read(tmp_path)
    assert (labels.by_id, labels.others) == ({"4": 1}, {"1": 0, "2": 7})
    assert labels.aside.keys() == {"1", "2", "3"}
    assert labels.groups == {"1": "record:1", "2": "record:2", "4": "record:2"}


def test_a_photo_with_two_counts_is_of_no_use(tmp_path: Path) -> None:
    labels, _ = read_text(tmp_path, "id,label,group\n1,7,x\n1,8,x\n2,7,x\n2,3,x\n3,3,x\n3,7,x\n4,6,y\n5,1,y\n")
    assert labels.others == {"4": 6}
    assert labels.by_id == {"5": 1}
    assert labels.groups["4"] == labels.groups["5"] == "csv:y"


def test_the_csv_goes_before_the_list_and_the_list_before_records(tmp_path: Path) -> None:
    write_record(tmp_path, "1", 3, "a")
    assert read(tmp_path)[0].by_id == {"1": 3}
    (tmp_path / "file_list.json").write_text('{"2": ["1.json"]}', encoding="utf-8")
    assert read(tmp_path)[0].by_id == {"1": 2}
    labels, _ = read_text(tmp_path, "id,label,group\n1,1,mine\n00002,2,\n")
    assert labels.by_id == {"1": 1, "00002": 2}
    assert labels.groups == {"1": "csv:mine"}


def test_records_in_the_other_spelling_give_groups(tmp_path: Path) -> None:
    write_record(tmp_path, "00001", 3, "a")
    write_record(tmp_path, "00002", 3, "a")
    assert read_text(tmp_path, "id,label\n1,1\n2,2\n")[0].groups == {"1": "record:00001", "2": "record:00001"}


def test_no_labels_at_all(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"needs labels\.csv, file_list\.json or metadata JSONs"):
        read(tmp_path)
    with pytest.raises(JobError, match=r"needs labels\.csv"):
        read(tmp_path / "nowhere")
