"""Render the photos of an assignment into shards, and account for every one."""

from __future__ import annotations

import csv
import hashlib
import io
import logging
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from steps.common.files import atomic_file
from steps.common.images import PhotoError
from steps.common.job import JobError
from steps.common.labels import AUXILIARY, CLASS_LABELS, LABELS, MANY, SPLITS
from steps.common.shards import Items, Photo, ShardWriter
from steps.common.split_report import HASH_BITS, SplitSettings
from steps.split.aside import Aside
from steps.split.assign import Assignment
from steps.split.photos import Source
from steps.split.pictures import read_photo, render
from steps.split.pool import ordered_map

log = logging.getLogger(__name__)
SECONDS_BETWEEN_LINES = 10.0
TRAINED_ON = ("train", AUXILIARY)


@dataclass
class Written:
    """What went into the shards: photos by split and label, and the two order-independent sums of hashes."""

    counts: dict[str, Counter[str]] = field(
        default_factory=lambda: {split: Counter(dict.fromkeys(CLASS_LABELS, 0)) for split in SPLITS}
    )
    auxiliary: Counter[str] = field(default_factory=Counter)
    content: int = 0
    assignment: int = 0

    def add(self, source: Source, split: str, digest: str) -> None:
        """Account for a photo; `digest` is the SHA-256 of the file as it came."""
        if split == AUXILIARY:
            self.auxiliary[str(min(source.label, MANY))] += 1
        else:
            self.counts[split][str(source.label)] += 1
        self.content += _number(f"{source.id}\0{source.label}\0{digest}")
        self.assignment += _number(f"{source.id}\0{split}")

    @property
    def photos(self) -> int:
        """Number of photos, auxiliary ones apart."""
        return sum(count.total() for count in self.counts.values())

    def hashes(self) -> tuple[str, str]:
        """Return content and assignment hash: 64 hexadecimal digits each."""
        return f"{self.content % 2**HASH_BITS:064x}", f"{self.assignment % 2**HASH_BITS:064x}"


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")


@contextmanager
def _assignment_rows(path: Path) -> Iterator[Callable[[str, str, str], object]]:
    with atomic_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        rows = csv.writer(text)
        rows.writerow(["id", "group", "split"])
        yield lambda photo_id, group, split: rows.writerow([photo_id, group, split])
        text.flush()
        text.detach()


def clear(out: Path, host: str) -> None:
    """Remove what an earlier run left in the output folders: mixed with ours, it would be read as one.

    Args:
        out: the folder of the outputs.
        host: as in `write_shards`: what other hosts of the same job write stays.

    Raises:
        JobError: there are .arrow files that this step has not written.
    """
    kinds = {"report": "(split|assignments|rejected)", **{split: split for split in (*SPLITS, AUXILIARY)}}
    for folder, stem in kinds.items():
        anyone = re.compile(rf"\.?{stem}(-.+)?\.(arrow|partial|json|csv)")
        own = re.compile(rf"\.?{stem}{re.escape(host)}(-\d{{5}})?\.(arrow|partial|json|csv)") if host else anyone
        for path in (out / folder).glob("*"):
            if own.fullmatch(path.name):
                path.unlink()
            elif path.suffix == ".arrow" and not anyone.fullmatch(path.name):
                raise JobError(f"{path} is no shard of this step and would be read with ours: give an empty folder")


def write_shards(
    sources: list[Source],
    groups: dict[str, str],
    assignment: Assignment,
    settings: SplitSettings,
    out: Path,
    host: str,
    aside: Aside,
    items: Callable[[str], Items] = lambda _: Items(),
) -> Written:
    """Write `<out>/<split>/<split>[-host]-00000.arrow`, ... and `<out>/report/assignments[-host].csv`.

    Args:
        sources: the photos, in the order in which they are written; those of other counts than 1 to 5 are auxiliary.
        groups: full group name by photo id.
        assignment: gives each group its split.
        settings: size and side of the pictures.
        out: the folder of the outputs.
        host: `-algo-1` or the like where several hosts write, else empty.
        aside: is told of rejected and moved photos.
        items: gives what the record of a photo's bin says; asked for photos that train only.
    """

    def split_of(source: Source) -> str:
        return assignment.split(groups[source.id]) if source.label in LABELS else AUXILIARY

    def work(source: Source) -> tuple[bytes, str, Items] | PhotoError:
        try:
            data = read_photo(Path(source.path))
            known = items(source.id) if split_of(source) in TRAINED_ON else Items()
            return render(data, settings.size, settings.side), hashlib.sha256(data).hexdigest(), known
        except PhotoError as error:
            return error

    written = Written()
    started = told = time.monotonic()
    with ExitStack() as stack:
        shards = {
            split: stack.enter_context(ShardWriter(out / split, f"{split}{host}", even_empty=split == AUXILIARY))
            for split in (*SPLITS, AUXILIARY)
        }
        row = stack.enter_context(_assignment_rows(out / "report" / f"assignments{host}.csv"))
        for done, (source, found) in enumerate(zip(sources, ordered_map(work, sources), strict=True), start=1):
            labelled = source.label in LABELS
            if isinstance(found, PhotoError):
                aside.add("rejected" if labelled else "left out", source.id, found.reason)
            else:
                group, split = groups[source.id], split_of(source)
                shards[split].write(Photo(source.id, min(source.label, MANY), group, found[0], found[2]))
                row(source.id, group, split)
                written.add(source, split, found[1])
                if labelled and (before := assignment.moved_from(source.id, split)):
                    aside.add("moved", source.id, f"{before} to {split}")
            if time.monotonic() - told > SECONDS_BETWEEN_LINES or done == len(sources):
                told = time.monotonic()
                log.info("wrote %s of %s photos, %.0f/s", f"{done:,}", f"{len(sources):,}", done / (told - started))
    return written
