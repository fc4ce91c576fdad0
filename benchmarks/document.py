"""docs/benchmarks.md: prose by hand, and between two comments for each benchmark what it measured last.

A run of some benchmarks replaces their parts alone. A benchmark without a part yet gets one at the end.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.figures import Figure, markdown


@dataclass(frozen=True)
class Result:
    """What became of a benchmark: its figures, or the reason why there are none."""

    name: str
    about: str
    figures: Sequence[Figure] = ()
    failure: str = ""
    took: float = 0.0
    """Seconds."""


def part(result: Result, taken: str) -> str:
    """Return a benchmark's part of the page, with its command.

    Args:
        result: of the benchmark.
        taken: where, when and at which commit.
    """
    body = f"**Failed**: {result.failure}\n" if result.failure else markdown(result.figures)
    how = f"`python -m benchmarks.{result.name}`, {result.took:.0f} s. {taken}."
    return f"### {result.name}\n\n{result.about}\n\n{body}\n{how}\n"


def merge(page: str, name: str, text: str) -> str:
    """Return the page with a benchmark's part replaced, or added at the end; all else stays as it is."""
    begin, end = f"<!-- measured: {name} -->\n", f"<!-- end of {name} -->\n"
    if page.count(begin) > 1 or page.count(begin) != page.count(end):
        raise ValueError(f"the page's part {name!r} does not begin and end once: mend its comments by hand")
    whole = f"{begin}{text}{end}"
    if begin not in page:
        return f"{page.rstrip()}\n\n{whole}"
    return re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: whole, page, count=1, flags=re.DOTALL)
