"""Photos and labels put aside: counted by reason, the first named in split.json, all in rejected.csv."""

from __future__ import annotations

import csv
import io
from collections import Counter
from types import TracebackType
from typing import BinaryIO, Literal, Self

from steps.common.split_report import NAMES_KEPT, Named
from steps.split import ids

Kind = Literal["rejected", "left out", "missing", "moved", "label"]


class Aside:
    """Write `kind,name,reason` rows as they come; only counts and the first names stay in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self._rows = csv.writer(self._text)
        self._rows.writerow(["kind", "name", "reason"])
        self._counts: dict[str, Counter[str]] = {}
        self._first: dict[str, list[tuple[str, str]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._text.detach()  # the file is its opener's to close

    def add(self, kind: Kind, name: str, reason: str) -> None:
        """Put a photo (by id or file name) or a label (by its place) aside."""
        shown = ids.printable(name)
        self._rows.writerow([kind, shown, reason])
        self._counts.setdefault(kind, Counter())[reason] += 1
        first = self._first.setdefault(kind, [])
        if len(first) < NAMES_KEPT:
            first.append((shown, reason))

    def named(self, kind: Kind) -> Named:
        """Return the counts and first names of a kind, for the report."""
        return Named(counts=dict(sorted(self._counts.get(kind, {}).items())), first=self._first.get(kind, []))
