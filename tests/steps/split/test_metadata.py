from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.split import metadata
from steps.split.metadata import MALFORMED_RECORD, BinRecord, parse_record, read_metadata


def test_a_record_of_the_dataset() -> None:
    data = b"""{"BIN_FCSKU_DATA": {"B00A": {"asin": "B00A", "quantity": 2}, "B00B": {}}, "EXPECTED_QUANTITY": 3}"""
    assert parse_record("7", data) == BinRecord("7", 3, ("B00A", "B00B"))


@pytest.mark.parametrize("data", [b'{"EXPECTED_QUANTITY": 2}', b'{"EXPECTED_QUANTITY": 2, "BIN_FCSKU_DATA": [1]}'])
def test_a_record_without_items_keeps_its_quantity(data: bytes) -> None:
    assert parse_record("7", data) == BinRecord("7", 2)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"3", b"\xff\xfe", b"[" * 100_000, b'{"EXPECTED_QUANTITY": ' + b"9" * 9999 + b"}"]
)
def test_malformed_records(data: bytes) -> None:
    assert parse_record("7", data) == BinRecord("7", fault=MALFORMED_RECORD)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_record_or_malformed(data: bytes) -> None:
    assert parse_record("7", data).id == "7"


def test_only_records_are_read_and_faults_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "2.JSON").write_text("{}", encoding="utf-8")
    (tmp_path / "1.json").write_text('{"EXPECTED_QUANTITY": 1}', encoding="utf-8")
    (tmp_path / "large.json").write_text(" " * 101, encoding="utf-8")
    (tmp_path / "file_list.json").write_text("{}", encoding="utf-8")
    (tmp_path / "labels.csv").write_text("id,label", encoding="utf-8")
    (tmp_path / "gone.json").symlink_to("nowhere")
    (tmp_path / " .json").write_text("{}", encoding="utf-8")
    os.mkfifo(tmp_path / "pipe.json")
    monkeypatch.setattr(metadata, "MAX_BYTES", 100)
    problems: list[tuple[str, str]] = []
    records = list(read_metadata(tmp_path, lambda where, what: problems.append((where, what))))
    assert {record.id: record.fault for record in records} == {
        "1": None,
        "gone": MALFORMED_RECORD,
        "large": MALFORMED_RECORD,
        "pipe": MALFORMED_RECORD,
        "2": None,
    }
    assert sorted(where for where, _ in problems) == [" .json", "gone.json", "large.json", "pipe.json"]
