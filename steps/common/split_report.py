"""What the Split step tells about its work (`split.json`), and its reader for the steps that come after.

Each host of a Split job writes a report on its own photos (`split.json`, or `split-<host>.json` where there are
several) and the assignment of its photos (`assignments.csv` likewise). `read_split_report` merges them.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, computed_field, model_validator

from steps.common.job import JobError
from steps.common.labels import AUXILIARY, CLASS_LABELS, SPLITS

NAMES_KEPT = 1000  # a report names so many photos of a kind; rejected.csv has all of them
MISSING = "listed, but there is no photo"
HASH_BITS = 256

Share = Annotated[float, Field(ge=0, le=1)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Counts = dict[str, int]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SplitSettings(_Strict):
    """What decides the assignment and the pictures. Shares are 0 to 1, `size` is in pixels."""

    validation: Annotated[float, Field(gt=0, lt=1)] = 0.15
    test: Annotated[float, Field(gt=0, lt=1)] = 0.15
    salt: str
    size: Annotated[int, Field(ge=16, le=4096)] = 256
    side: Literal["short", "long"] = "short"
    max_rejected: Share = 0.05
    max_missing: Share = 1.0

    @model_validator(mode="after")
    def _leaves_some_for_training(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together leave nothing for training")
        return self

    def share(self, split: str) -> float:
        """Return the asked share of a split, 0 to 1."""
        return {"validation": self.validation, "test": self.test}.get(split, 1 - self.validation - self.test)


class Named(_Strict):
    """Photos put aside: how many for each reason, and the first of them as [id or file, reason]."""

    counts: Counts = Field(default_factory=dict)
    first: list[tuple[str, str]] = Field(default_factory=list)

    @property
    def total(self) -> int:
        """Number of photos, for whatever reason."""
        return sum(self.counts.values())

    def __add__(self, other: Named) -> Named:
        counts = Counter(self.counts) + Counter(other.counts)
        return Named(counts=dict(sorted(counts.items())), first=[*self.first, *other.first][:NAMES_KEPT])


class Groups(_Strict):
    """The groups among the written photos, and the proof, counted on the written assignment, that none crosses."""

    number: int
    largest: int
    by_source: Counts
    photos_checked: int
    crossing: Literal[0]


class SplitReport(BaseModel):
    """The report of one host, or of all. `counts[split][label]` are photos; label keys are "1" to "5"."""

    # Computed members are in the file for people and JSON paths; reading computes them again.
    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal["bincount-split-1"] = "bincount-split-1"
    hosts: list[str]
    label_form: Literal["labels.csv", "file_list.json", "metadata"]
    settings: SplitSettings
    counts: dict[str, Counts]
    auxiliary: Counts = {}  # photos by their number of items, "9" for 9 and more; none where there are none
    groups: Groups
    rejected: Named = Named()
    left_out: Named = Named()
    listed: int
    missing: Named | None = None  # None in the report of one of several hosts: it sees its own photos only
    moved: Named = Named()
    label_problems: Named = Named()  # rows and records that cannot be read, whether their photo is there or not
    content_hash: Digest
    assignment_hash: Digest

    @computed_field  # type: ignore[prop-decorator]
    @property
    def photos(self) -> int:
        """Number of photos written to the shards of train, validation and test."""
        return sum(sum(labels.values()) for labels in self.counts.values())

    @computed_field  # type: ignore[prop-decorator]
    @property
    def deviations(self) -> dict[str, dict[str, float]]:
        """Share of each class's photos in each split less the asked share, in points (1 = 1 %); absent classes not."""
        totals = {label: sum(self.counts[split].get(label, 0) for split in SPLITS) for label in CLASS_LABELS}
        return {
            split: {
                label: round(100 * (self.counts[split].get(label, 0) / total - self.settings.share(split)), 3)
                for label, total in totals.items()
                if total
            }
            for split in SPLITS
        }

    @computed_field  # type: ignore[prop-decorator]
    @property
    def largest_deviation(self) -> float:
        """Largest of the deviations without its sign, in points."""
        return max((abs(value) for labels in self.deviations.values() for value in labels.values()), default=0.0)

    @property
    def data_hash(self) -> str:
        """Identity of what training sees: the photos, their labels, who is in which split, and the picture size."""
        return f"{self.content_hash}-{self.assignment_hash}-{self.settings.side}{self.settings.size}"


class AssignmentRow(_Strict):
    """A row of `assignments.csv`."""

    id: str
    group: str
    split: Literal["train", "validation", "test", "auxiliary"]

    @property
    def side(self) -> str:
        """What the photo is used for: an auxiliary one trains."""
        return "train" if self.split == AUXILIARY else self.split


def read_assignments(folder: Path) -> Iterator[AssignmentRow]:
    """Yield the rows of every host's assignments in a report folder.

    Raises:
        JobError: there are none, or a row is none of ours.
    """
    paths = sorted(folder.rglob("assignments*.csv"))
    if not paths:
        raise JobError(f"{folder} holds no assignments.csv: give the folder of an earlier Split's report output")
    for path in paths:
        yield from read_assignment_file(path)


def read_assignment_file(path: Path) -> Iterator[AssignmentRow]:
    """Yield the rows of one host's assignments.

    Raises:
        JobError: a row is none of ours.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows: csv.DictReader[str] = csv.DictReader(file)
        try:
            for row in rows:
                yield AssignmentRow.model_validate(row)
        except (ValidationError, UnicodeDecodeError, csv.Error):
            raise JobError(f"{path}, line {rows.line_num}, is no row of id,group,split as Split writes it") from None


def group_facts(rows: Iterator[AssignmentRow]) -> Groups:
    """Count the groups of an assignment, and prove that each lies in one split only.

    Raises:
        JobError: a group lies in two splits, which is a leak between training and test.
    """
    split_of: dict[str, str] = {}
    sizes: Counter[str] = Counter()
    for row in rows:
        if split_of.setdefault(row.group, row.side) != row.side:
            raise JobError(f"the group {row.group!r} is in two splits, {split_of[row.group]} and {row.side}: a leak")
        sizes[row.group] += 1
    sources = Counter(group.partition(":")[0] for group in sizes)
    return Groups(
        number=len(sizes),
        largest=max(sizes.values(), default=0),
        by_source=dict(sorted(sources.items())),
        photos_checked=sizes.total(),
        crossing=0,
    )


def add_hashes(*digests: str) -> str:
    """Add 256-bit hashes (hexadecimal) modulo 2^256, so that the sum tells a set whatever its order or its parts."""
    return f"{sum(int(digest, 16) for digest in digests) % 2**HASH_BITS:064x}"


def read_split_report(folder: Path) -> SplitReport:
    """Read the report of a Split job, merged over its hosts.

    Args:
        folder: the Split step's `report` output.

    Raises:
        JobError: no report there, one that cannot be read, or reports of different jobs.
    """
    paths = sorted(folder.rglob("split*.json"))
    if not paths:
        raise JobError(f"{folder} holds no split.json: give the report output of the Split step")
    reports = [_read(path) for path in paths]
    return reports[0] if len(reports) == 1 else _merge(folder, reports)


def _read(path: Path) -> SplitReport:
    try:
        return SplitReport.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first: dict[str, Any] = dict(error.errors()[0])
        place = ".".join(str(part) for part in first["loc"])
        raise JobError(f"{path} is no report of the Split step: {place}: {first['msg']}") from None


def _merge(folder: Path, reports: list[SplitReport]) -> SplitReport:
    hosts = [host for report in reports for host in report.hosts]
    same = {(report.settings, report.label_form, report.listed) for report in reports}
    if len(same) > 1 or len(set(hosts)) < len(hosts):
        raise JobError(f"{folder} holds reports of different Split jobs: give the report output of one job")
    counts = {
        split: {label: sum(report.counts[split].get(label, 0) for report in reports) for label in CLASS_LABELS}
        for split in SPLITS
    }
    rejected = sum((report.rejected for report in reports), Named())
    seen = rejected.total + sum(report.photos for report in reports)
    return reports[0].model_copy(
        update={
            "hosts": hosts,
            "counts": counts,
            "auxiliary": dict(sorted(sum((Counter(report.auxiliary) for report in reports), Counter()).items())),
            "groups": group_facts(read_assignments(folder)),
            "rejected": rejected,
            "missing": Named(counts={MISSING: reports[0].listed - seen} if reports[0].listed > seen else {}),
            "left_out": sum((report.left_out for report in reports), Named()),
            "moved": sum((report.moved for report in reports), Named()),
            "label_problems": sum((report.label_problems for report in reports), Named()),
            "content_hash": add_hashes(*(report.content_hash for report in reports)),
            "assignment_hash": add_hashes(*(report.assignment_hash for report in reports)),
        }
    )
