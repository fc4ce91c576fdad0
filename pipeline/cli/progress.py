"""Progress on stderr: a bar where stderr is a terminal, a line now and then where that is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function that is told how much has been done since it was last called."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)


class Pace:
    """Lines that say how far a long work is, at most one in `every` seconds: for logs, where a bar is none."""

    def __init__(self, what: str, total: int, every: float = 15.0) -> None:
        self._what, self._total, self._every = what, total, every
        self._done, self._begun = 0, time.monotonic()
        self._told = self._begun

    def __call__(self, count: int) -> str | None:
        """Take what has been done since the last call, and return a line if it is time for one."""
        self._done += count
        now = time.monotonic()
        if now - self._told < self._every:
            return None
        self._told = now
        rate = self._done / (now - self._begun)
        left = duration((self._total - self._done) / rate) if rate else "?"
        return f"{self._what}: {self._done:,} of {self._total:,}, {rate:,.0f} a second, {left} left"


def duration(seconds: float) -> str:
    """Return a time in the unit that fits: 45 s, 12 min, 3.5 h."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


@contextmanager
def paced(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give the function of `progress`; the bar shows the rate as well, and without a terminal there are lines."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.finished_speed or task.speed or 0:,.0f}/s")

    console = Console(stderr=True)
    if not console.is_terminal:
        pace = Pace(what, total)

        def tell(count: int) -> None:
            if line := pace(count):
                console.print(line, markup=False, highlight=False, soft_wrap=True)

        yield tell
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda count: bar.advance(task, count)
