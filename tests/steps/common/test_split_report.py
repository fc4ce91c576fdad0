from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from steps.common.files import write_json
from steps.common.job import JobError
from steps.common.split_report import (
    MISSING,
    Groups,
    Named,
    SplitReport,
    SplitSettings,
    add_hashes,
    read_assignments,
    read_split_report,
)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def report(host: str = "algo-1", **changes: object) -> SplitReport:
    counts = {
        split: dict.fromkeys("12345", number) for split, number in {"train": 7, "validation": 1, "test": 2}.items()
    }
    values: dict[str, object] = {
        "hosts": [host],
        "label_form": "metadata",
        "settings": SplitSettings(salt="s", validation=0.1, test=0.2),
        "counts": counts,
        "groups": Groups(number=50, largest=1, by_source={"record": 50}, photos_checked=50, crossing=0),
        "listed": 110,
        "content_hash": digest("content" + host),
        "assignment_hash": digest("assignment" + host),
    }
    return SplitReport.model_validate(values | changes)


def write_host(folder: Path, given: SplitReport, rows: list[str]) -> None:
    host = given.hosts[0]
    write_json(folder / f"split-{host}.json", given.model_dump(mode="json"))
    (folder / f"assignments-{host}.csv").write_text("\r\n".join(["id,group,split", *rows, ""]), encoding="utf-8")


def test_one_host_s_report_reads_back(tmp_path: Path) -> None:
    write_json(tmp_path / "split.json", report().model_dump(mode="json"))
    assert read_split_report(tmp_path) == report()
    written = json.loads((tmp_path / "split.json").read_text(encoding="utf-8"))
    assert (written["photos"], written["largest_deviation"]) == (50, 0.0)


def test_deviations_are_points_of_each_class() -> None:
    counts = {"train": {"1": 8, "2": 7}, "validation": {"1": 1, "2": 1}, "test": {"1": 1, "2": 2}}
    found = report(counts=counts)
    assert found.deviations["train"] == {"1": 10.0, "2": 0.0}
    assert found.deviations["test"] == {"1": -10.0, "2": 0.0}
    assert found.largest_deviation == 10.0


def test_hosts_are_merged(tmp_path: Path) -> None:
    bad = Named(counts={"truncated or damaged": 1}, first=[("7", "truncated or damaged")])
    write_host(tmp_path, report("algo-1", rejected=bad), ["1,record:1,train", "2,record:1,train"])
    write_host(tmp_path, report("algo-2"), ["3,record:1,train", "4,csv:a,test"])
    merged = read_split_report(tmp_path)
    assert merged.hosts == ["algo-1", "algo-2"]
    assert merged.photos == 100
    assert merged.rejected == bad
    assert merged.missing == Named(counts={MISSING: 9})
    assert (merged.groups.number, merged.groups.largest) == (2, 3)
    assert merged.groups.by_source == {"csv": 1, "record": 1}
    assert merged.content_hash == add_hashes(digest("contentalgo-1"), digest("contentalgo-2"))
    assert merged.data_hash != report().data_hash


def test_auxiliary_photos_are_added_up_and_count_as_training(tmp_path: Path) -> None:
    write_host(tmp_path, report("algo-1", auxiliary={"6": 2}), ["1,record:1,train", "2,record:1,auxiliary"])
    write_host(tmp_path, report("algo-2", auxiliary={"0": 1, "6": 3}), ["3,record:3,auxiliary"])
    merged = read_split_report(tmp_path)
    assert merged.auxiliary == {"0": 1, "6": 5}
    assert merged.photos == 100
    (tmp_path / "assignments-algo-2.csv").write_text("id,group,split\r\n3,record:1,test\r\n", encoding="utf-8")
    with pytest.raises(JobError, match=r"record:1.*two splits"):
        read_split_report(tmp_path)


def test_a_group_that_crosses_between_hosts_is_a_leak(tmp_path: Path) -> None:
    write_host(tmp_path, report("algo-1"), ["1,record:1,train"])
    write_host(tmp_path, report("algo-2"), ["3,record:1,test"])
    with pytest.raises(JobError, match=r"record:1.*two splits"):
        read_split_report(tmp_path)


@pytest.mark.parametrize("other", [report("algo-1"), report("algo-2", listed=5)])
def test_reports_of_different_jobs_are_refused(tmp_path: Path, other: SplitReport) -> None:
    write_host(tmp_path, report("algo-1"), ["1,record:1,train"])
    write_host(tmp_path / "more", other, ["3,record:1,train"])
    with pytest.raises(JobError, match="different Split jobs"):
        read_split_report(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": "bincount-split-9"}', '{"hosts": 3}', "\ud7ff\x00"])
def test_what_is_no_report_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "split.json").write_text(text, encoding="utf-8")
    with pytest.raises(JobError, match="no report of the Split step") as error:
        read_split_report(tmp_path)
    assert "\n" not in str(error.value)


def test_an_empty_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"no split\.json"):
        read_split_report(tmp_path)
    with pytest.raises(JobError, match=r"no assignments\.csv"):
        list(read_assignments(tmp_path))


@pytest.mark.parametrize("row", ["1,record:1", "1,record:1,train,x", "1,record:1,holdout"])
def test_a_malformed_assignment_is_named(tmp_path: Path, row: str) -> None:
    (tmp_path / "assignments.csv").write_text(f"id,group,split\n1,a,test\n{row}\n", encoding="utf-8")
    with pytest.raises(JobError, match="line 3"):
        list(read_assignments(tmp_path))


@given(st.lists(st.text(), max_size=6))
def test_sum_of_hashes_knows_no_order(texts: list[str]) -> None:
    digests = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for text in texts]
    shuffled = sorted(digests)
    assert add_hashes(*shuffled) == add_hashes(*digests) == add_hashes(add_hashes(*digests[:2]), *digests[2:])


@pytest.mark.parametrize(
    "wrong", [{"validation": 0.5, "test": 0.5}, {"test": 0}, {"size": 0}, {"side": "left"}, {"x": 1}]
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SplitSettings.model_validate({"salt": "s"} | wrong)
