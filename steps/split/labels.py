"""The labels of photos, in the three forms that people have them in.

`labels.csv` with the columns id, label and optionally group; else `file_list.json`, which lists the metadata files (or
photos) under their label, {"1": ["data/metadata/100313.json", ...], ...}; else the Amazon Bin Image Dataset's metadata
JSONs, `<id>.json` with EXPECTED_QUANTITY. The item records of metadata JSONs give the groups in all three.

Files are hostile or sloppy: a row or record that cannot be read is a problem that is counted and named, never fatal.
"""

from __future__ import annotations

import csv
import json
import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Literal

from steps.common.job import JobError
from steps.common.labels import LABELS
from steps.split import ids
from steps.split.assign import group_name
from steps.split.metadata import read_metadata
from steps.split.records import ItemRecords

log = logging.getLogger(__name__)

Form = Literal["labels.csv", "file_list.json", "metadata"]
Problem = Callable[[str, str], None]  # where, what

NO_LABEL = "no label"
OUTSIDE = "label outside 1 to 5"
MALFORMED = "malformed label"
MALFORMED_ROW = "malformed row"
MALFORMED_ID = "malformed id"
CONFLICT = "listed twice with different labels or groups"
_COUNT = re.compile(r"[+-]?[0-9]{1,9}(\.0*)?")  # 3, and 3.0 as spreadsheets and data frames write it


@dataclass
class Labels:
    """Labels by photo id, the groups known from files, and why other ids have no usable label."""

    form: Form
    by_id: dict[str, int] = field(default_factory=dict)
    aside: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)  # full names: csv:..., record:...
    others: dict[str, int] = field(default_factory=dict)  # counts other than 1 to 5, which training may learn from

    def put(self, photo_id: str, value: object, group: str = "") -> str | None:
        """Take the label of a photo; return what is wrong with it, if anything is."""
        problem: str | None = None
        label = to_count(value)
        if label is None:
            problem = NO_LABEL if value is None or value == "" else MALFORMED
        elif label not in LABELS:
            problem = OUTSIDE
        if self._differs(photo_id, label, group):
            problem = CONFLICT
        self.others.pop(photo_id, None)
        if problem or label is None:
            self.by_id.pop(photo_id, None)
            if problem == OUTSIDE and label is not None and label >= 0 and photo_id not in self.aside:
                self._take_other(photo_id, label, group)
            self.aside[photo_id] = problem or MALFORMED
            return problem
        if photo_id in self.aside:  # an unusable row before, or a third one after a conflict
            self.aside[photo_id] = CONFLICT
            return CONFLICT
        self.by_id[photo_id] = label
        if group:
            self.groups[photo_id] = group_name("csv", group)
        return None

    def _take_other(self, photo_id: str, count: int, group: str) -> None:
        self.others[photo_id] = count
        if group:
            self.groups[photo_id] = group_name("csv", group)

    def _differs(self, photo_id: str, label: int | None, group: str) -> bool:
        if photo_id not in self.by_id:
            return False
        named = group_name("csv", group) if group else None
        return self.by_id[photo_id] != label or self.groups.get(photo_id) != named


def to_count(value: object) -> int | None:
    """Return a whole number from JSON or text, None where it is none (true and 2.5 are none)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    text = value.strip() if isinstance(value, str) else ""
    return int(text.partition(".")[0]) if _COUNT.fullmatch(text) else None


def read_labels(folder: Path, problem: Problem) -> Labels:
    """Read the labels in a folder, in the first form that is there.

    Args:
        folder: holds labels.csv, file_list.json or metadata JSONs.
        problem: is told the place and kind of everything that cannot be read.

    Raises:
        JobError: there are no labels, or the file cannot be read at all.
    """
    if (folder / "labels.csv").is_file():
        labels = read_csv(folder / "labels.csv", problem)
    elif (folder / "file_list.json").is_file():
        labels = read_file_list(folder / "file_list.json", problem)
    else:
        labels = Labels("metadata")
    records = ItemRecords()
    for done, record in enumerate(read_metadata(folder, problem), start=1):
        if done % 50_000 == 0:
            log.info("read %s records", f"{done:,}")
        if labels.form == "metadata":
            if record.fault:
                labels.aside[record.id] = record.fault
            elif (fault := labels.put(record.id, record.quantity)) not in {None, OUTSIDE}:
                problem(record.id, str(fault))
        records.add(record.id, record.items)
    if not labels.by_id:
        raise JobError(f"{folder} has no label from 1 to 5: it needs labels.csv, file_list.json or metadata JSONs")
    _add_record_groups(labels, records)
    return labels


def _add_record_groups(labels: Labels, records: ItemRecords) -> None:
    groups = records.groups()
    spellings = ids.Spellings(groups)
    for photo_id in (*labels.by_id, *labels.others):
        record = spellings.find(photo_id)
        if record is not None and photo_id not in labels.groups:
            labels.groups[photo_id] = group_name("record", groups[record])
        elif record is None and labels.others.get(photo_id) == 0:
            # An empty bin shows nothing that another photo could show again.
            labels.groups.setdefault(photo_id, group_name("record", photo_id))


def read_csv(path: Path, problem: Problem) -> Labels:
    """Read `id,label[,group]`: any order of columns, further ones passed over, quotes as usual, one row a line."""
    labels = Labels("labels.csv")
    try:
        with path.open(encoding="utf-8-sig") as file:
            rows = _rows(file)
            header = [name.strip().lower() for name in next(rows, (1, None))[1] or []]
            if not {"id", "label"} <= set(header):
                raise JobError(f"{path} needs a first line id,label or id,label,group; it has {header!r:.200}")
            for line, row in rows:
                fault = MALFORMED_ROW if row is None or len(row) != len(header) else None
                if row is not None and fault is None:
                    fault = _put_row(labels, dict(zip(header, row, strict=True)))
                if fault not in {None, OUTSIDE}:
                    problem(f"{path.name} line {line}", str(fault))
    except UnicodeDecodeError:
        raise JobError(f"{path} is not UTF-8 text: save it as CSV UTF-8") from None
    return labels


def _put_row(labels: Labels, row: dict[str, str]) -> str | None:
    photo_id, group = row["id"].strip(), row.get("group", "").strip()
    if not ids.is_sane(photo_id):
        return MALFORMED_ID
    if group and not ids.is_sane(group.replace("/", "").replace("\\", "") or "-"):
        return MALFORMED_ROW
    return labels.put(photo_id, row["label"].strip(), group)


def _rows(lines: Iterator[str]) -> Iterator[tuple[int, list[str] | None]]:
    """Yield line numbers and fields, None for a malformed line: parsed one by one, an open quote harms one row only."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield number, next(csv.reader([line.rstrip("\n")], strict=True, skipinitialspace=True))
            except csv.Error:
                yield number, None


def read_file_list(path: Path, problem: Problem) -> Labels:
    """Read the usual subset's list: names of files under their label; the name's stem is the id."""
    try:
        listed = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, dict):
        raise JobError(f'{path} is not a list of files by label: it needs {{"1": ["metadata/00710.json", ...], ...}}')
    labels = Labels("file_list.json")
    for key, names in listed.items():
        for index, name in enumerate(names if isinstance(names, list) else [None]):
            photo_id = PurePosixPath(name).stem if isinstance(name, str) else ""
            fault = labels.put(photo_id, key) if ids.is_sane(photo_id) else MALFORMED_ID
            if fault not in {None, OUTSIDE}:
                problem(f"{path.name} {key!r:.40}[{index}]", str(fault))
    return labels
