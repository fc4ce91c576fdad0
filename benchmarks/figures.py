"""What a benchmark measured: figures beside their peers and bars, and how they are written.

A module of this folder with `def measure() -> list[Figure]` is a benchmark: `python -m benchmarks.NAME` runs it alone
and prints what it measured, `python -m benchmarks` runs them all and writes docs/benchmarks.md.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

HEAD = ("what", "measured", "peer", "ratio", "bar", "note")


@dataclass(frozen=True)
class Figure:
    """One row.

    `measured` and `peer` are written with their units; `ratio` is ours over the peer's, so that more is better, `bar`
    says what is asked for, `met` whether it is reached (None where nothing is asked for).
    """

    what: str
    measured: str
    peer: str = ""
    ratio: float | None = None
    bar: str = ""
    met: bool | None = None
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return the texts of a row, in the order of HEAD."""
        ratio = "" if self.ratio is None else f"{figures(self.ratio)}x"
        bar = self.bar if self.met is not False else f"{self.bar}, **missed**"
        return self.what, self.measured, self.peer, ratio, bar, self.note


def compared(what: str, ours: float, peer: float, unit: str, named: str, bar: float | None, note: str = "") -> Figure:
    """Return a row of two speeds, of which more is better.

    Args:
        what: is measured.
        ours: our speed, in `unit`.
        peer: the peer's, in the same.
        unit: of both: "photos/s".
        named: who the peer is.
        bar: the least ratio of the two that is asked for, None where nothing is.
        note: to be read with it.
    """
    ratio = ours / peer
    asked = "" if bar is None else f"at least {bar:g}x"
    met = None if bar is None else ratio >= bar
    return Figure(what, f"{figures(ours)} {unit}", f"{named}: {figures(peer)} {unit}", ratio, asked, met, note)


def at_most(what: str, measured: float, unit: str, bar: float, note: str = "") -> Figure:
    """Return a row of which less is better, with no peer: seconds, megabytes."""
    return Figure(what, f"{figures(measured)} {unit}", bar=f"at most {bar:g} {unit}", met=measured <= bar, note=note)


def figures(value: float) -> str:
    """Write a number with three figures, and whole thousands with all of theirs: 0.00712, 4.52, 31.4, 12,480."""
    if abs(value) >= 99.95:
        return f"{value:,.0f}"
    text = f"{value:.3g}"
    return text if "e" not in text else f"{value:.6f}"


def seconds(work: Callable[[], object]) -> float:
    """Return the seconds that the work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def medians(rounds: int, **works: Callable[[], float]) -> dict[str, float]:
    """Return the median of what each work returns; they take turns, so that a busy moment of the machine hits all."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            taken[name].append(work())
    return {name: statistics.median(values) for name, values in taken.items()}


def markdown(rows: Iterable[Figure]) -> str:
    """Return a table for Markdown; columns that nobody filled are left out."""
    cells = [[cell.replace("|", "\\|") for cell in row.cells()] for row in rows]
    kept = [index for index in range(len(HEAD)) if index < 2 or any(row[index] for row in cells)]
    lines = [[HEAD[index] for index in kept], ["---"] * len(kept), *([row[index] for index in kept] for row in cells)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def plain(rows: Iterable[Figure]) -> str:
    """Return the rows for a terminal: a line of its own for each."""
    lines = []
    for row in rows:
        what, measured, peer, ratio, bar, note = row.cells()
        parts = (measured, peer and f"({peer})", ratio, bar and f"[{bar.replace('**', '')}]", note)
        lines.append(f"{what}: {'  '.join(part for part in parts if part)}\n")
    return "".join(lines)


def show(rows: Iterable[Figure]) -> None:
    """Print the rows; what a benchmark run alone ends with."""
    print(plain(rows), end="", flush=True)
