"""Which photos are there, and which label is whose."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from steps.split import ids
from steps.split.aside import Aside
from steps.split.labels import NO_LABEL, Labels

SUFFIXES = frozenset({"", ".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
OTHER_FILE = "not named as a picture"
TWICE = "a second file of the same id"


@dataclass(frozen=True, slots=True)
class Source:
    """A labelled photo: its id (as the labels spell it), label (of an auxiliary photo: its count) and file."""

    id: str
    label: int
    path: str


def list_files(folder: Path) -> Iterator[str]:
    """Yield the files of a folder and below, in the order of their names; hidden ones are passed over."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (f"{parent}/{name}" for name in sorted(names) if not name.startswith("."))


def match(files: Iterable[str], labels: Labels, aside: Aside) -> list[Source]:
    """Return the photos with a usable label, and those with another count whose group is known; put the rest aside.

    In natural order of their ids. Without records or a group of the user's nothing tells whether a bin of another count
    is also in a test photo, so these are left out.

    A photo matches the id that is its name without the suffix; else the other spelling of the same number
    (see `ids.Spellings`), unless that spelling's own photo is here too.
    """
    named: dict[str, str] = {}
    for path in files:
        stem, suffix = os.path.splitext(os.path.basename(path))  # noqa: PTH119, PTH122  # see metadata.py
        if suffix.lower() not in SUFFIXES or not ids.is_sane(stem):
            aside.add("left out", os.path.basename(path), OTHER_FILE)  # noqa: PTH119
        elif stem in named:
            aside.add("left out", stem, TWICE)
        else:
            named[stem] = path
    spellings = ids.Spellings(labels.by_id.keys() | labels.aside.keys())
    found: dict[str, Source] = {}
    for stem, path in named.items():
        spelled = spellings.find(stem)
        if spelled is None or (spelled != stem and spelled in named):
            aside.add("left out", stem, NO_LABEL)
        elif spelled in labels.aside and not (spelled in labels.others and spelled in labels.groups):
            aside.add("left out", stem, labels.aside[spelled])
        elif spelled in found:  # 0710 and 00710 for a label of 710
            aside.add("left out", stem, TWICE)
        else:
            found[spelled] = Source(spelled, labels.by_id.get(spelled, labels.others.get(spelled, 0)), path)
    return sorted(found.values(), key=lambda source: ids.natural(source.id))
