"""The Split step from folders to folders."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from steps.common.files import atomic_file, write_json
from steps.common.job import Hosts, JobError
from steps.common.labels import LABELS
from steps.common.split_report import (
    MISSING,
    SplitReport,
    SplitSettings,
    group_facts,
    read_assignment_file,
    read_assignments,
)
from steps.split import limits
from steps.split.aside import Aside
from steps.split.assign import Assignment
from steps.split.groups import picture_groups
from steps.split.items import read_items
from steps.split.labels import Labels, read_labels
from steps.split.photos import Source, list_files, match
from steps.split.writing import clear, write_shards

log = logging.getLogger(__name__)
POINTS_WARNED = 2.0
HELD_OUT = "label outside 1 to 5, of a bin that is validated or tested"


@dataclass(frozen=True)
class Folders:
    """Where a Split reads and writes; `previous` is the report folder of an earlier Split, if any."""

    photos: Path
    labels: Path
    out: Path
    previous: Path | None = None


def split(folders: Folders, settings: SplitSettings, hosts: Hosts) -> SplitReport:
    """Write the shards, assignments and report of this host's photos; return the report.

    Raises:
        JobError: see `limits`, `read_labels` and `read_assignments`; or several hosts are asked for `max_missing`.
    """
    if len(hosts.hosts) > 1 and settings.max_missing < 1:
        raise JobError("--max-missing cannot be checked on several instances, each sees its own photos: use one")
    earlier = {row.id: row.side for row in read_assignments(folders.previous)} if folders.previous else {}
    clear(folders.out, _mark(hosts))  # after reading: the earlier report may lie in the same folder
    failure: JobError | None = None
    with atomic_file(folders.out / "report" / f"rejected{_mark(hosts)}.csv") as file, Aside(file) as aside:
        try:
            report = _split(folders, settings, hosts, earlier, aside)
        except JobError as error:  # the list of what is wrong is wanted most when the job fails: let it be written
            failure = error
    if failure:
        raise failure
    write_json(folders.out / "report" / f"split{_mark(hosts)}.json", report.model_dump(mode="json"))
    _tell(report)
    return report


def _mark(hosts: Hosts) -> str:
    return f"-{hosts.current}" if len(hosts.hosts) > 1 else ""


def _split(
    folders: Folders, settings: SplitSettings, hosts: Hosts, earlier: Mapping[str, str], aside: Aside
) -> SplitReport:
    alone = len(hosts.hosts) == 1
    labels = _labels(folders, hosts, aside)
    matched = match(list_files(folders.photos), labels, aside)
    sources = [source for source in matched if source.label in LABELS]
    log.info("%s photos with a label from 1 to 5 of %s listed", f"{len(sources):,}", f"{len(labels.by_id):,}")
    if alone:
        _check_there(folders, labels, sources, settings, aside)
    bare = [source for source in sources if source.id not in labels.groups]
    groups = labels.groups | picture_groups(bare, aside)
    limits.check_rejected(aside.named("rejected"), len(sources), settings)
    assignment = Assignment(settings, earlier, groups.get)
    good = [source for source in sources if source.id in groups]
    if alone:  # before the long part: but for rejects the counts are known now
        limits.check_splits(Counter(assignment.split(groups[source.id]) for source in good))
    to_write = [*good, *_auxiliary(matched, labels, groups, assignment, aside)]
    written = write_shards(
        to_write, groups, assignment, settings, folders.out, _mark(hosts), aside, partial(read_items, folders.labels)
    )
    limits.check_rejected(aside.named("rejected"), len(sources), settings)
    if alone:
        limits.check_splits(Counter({name: count.total() for name, count in written.counts.items()}))
    content_hash, assignment_hash = written.hashes()
    return SplitReport(
        hosts=[hosts.current],
        label_form=labels.form,
        settings=settings,
        counts={name: dict(count) for name, count in written.counts.items()},
        auxiliary=dict(sorted(written.auxiliary.items())),
        groups=group_facts(read_assignment_file(folders.out / "report" / f"assignments{_mark(hosts)}.csv")),
        rejected=aside.named("rejected"),
        left_out=aside.named("left out"),
        listed=len(labels.by_id),
        missing=aside.named("missing") if alone else None,
        moved=aside.named("moved"),
        label_problems=aside.named("label"),
        content_hash=content_hash,
        assignment_hash=assignment_hash,
    )


def _auxiliary(
    matched: list[Source], labels: Labels, groups: Mapping[str, str], assignment: Assignment, aside: Aside
) -> Iterator[Source]:
    """Yield the photos of other counts whose bins are in no validation or test photo; the others are left out.

    By the labels, not by the photos, of which a host among several sees its own only. A bin that never held 1 to 5
    items scores nothing, whatever its hash says, so its photos all help.
    """
    scored = {groups[photo_id] for photo_id in labels.by_id if photo_id in groups}
    scored = {group for group in scored if assignment.split(group) != "train"}
    for source in matched:
        if source.label in LABELS:
            continue
        if groups[source.id] in scored:
            aside.add("left out", source.id, HELD_OUT)
        else:
            yield source


def _labels(folders: Folders, hosts: Hosts, aside: Aside) -> Labels:
    def problem(where: str, what: str) -> None:
        if hosts.rank == 0:  # every host has all labels: one of them tells
            aside.add("label", where, what)

    return read_labels(folders.labels, problem)


def _check_there(
    folders: Folders, labels: Labels, sources: list[Source], settings: SplitSettings, aside: Aside
) -> None:
    there = {source.id for source in sources}
    for photo_id in labels.by_id:
        if photo_id not in there:
            aside.add("missing", photo_id, MISSING)
    if not sources:
        raise JobError(
            f"none of the {len(labels.by_id):,} labels has a photo in {folders.photos}: a photo's name is its id, "
            "<id>.jpg or the like"
        )
    limits.check_missing(aside.named("missing"), len(labels.by_id), settings)


def _tell(report: SplitReport) -> None:
    for name, labels in report.counts.items():
        log.info("%s: %s photos, by label %s", name, f"{sum(labels.values()):,}", dict(labels))
    if report.auxiliary:
        log.info("auxiliary: %s photos, by count %s", f"{sum(report.auxiliary.values()):,}", report.auxiliary)
    for what, named in (("rejected", report.rejected), ("left out", report.left_out), ("moved", report.moved)):
        if named.total:
            log.info("%s: %s, %s", what, f"{named.total:,}", named.counts)
    if report.missing and report.missing.total:
        log.info("missing: %s of %s listed photos", f"{report.missing.total:,}", f"{report.listed:,}")
    if report.largest_deviation > POINTS_WARNED:
        log.warning(
            "warning: a class's share of a split is %.1f points off the asked%s: more photos or another --salt help",
            report.largest_deviation,
            "" if report.missing is not None else ", on this instance",
        )
    log.info("%s groups, the largest of %s; none crosses", f"{report.groups.number:,}", report.groups.largest)
