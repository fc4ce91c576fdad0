"""Tables: for eyes in a terminal, for `cut` and `awk` elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from pipeline.cli.rows import one_line


def print_table(head: Sequence[str], rows: Iterable[Sequence[str]], nothing: str) -> None:
    """Print rows under their heads, tab-separated where the output is no terminal; `nothing` where there are none."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    listed = list(rows)
    console = Console()
    if not console.is_terminal:
        for row in listed:
            print("\t".join(one_line(cell) for cell in row))
        return
    if not listed:
        console.print(nothing)
        return
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for name in head:
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for row in listed:
        table.add_row(*(Text(one_line(cell), style=_COLORS.get(cell, "")) for cell in row))
    console.print(table)


def print_pairs(lines: Iterable[tuple[str, str]], style: str = "bright_black", *, err: bool = False) -> None:
    """Print pairs of a word and a text; `style` is the first word's in a terminal. `err` prints to stderr."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(soft_wrap=True, stderr=err)
    if not console.is_terminal:
        for word, text in lines:
            print(f"{word:<10} {one_line(text)}", file=sys.stderr if err else sys.stdout, flush=True)
        return
    table = Table.grid(padding=(0, 2, 0, 0))
    for index, (word, text) in enumerate(lines):
        first = Text(f"  {word}", style="bright_black" if index else style)
        table.add_row(first, Text(one_line(text), overflow="fold"))
    console.print()
    console.print(table)


_COLORS = {
    "Succeeded": "green",
    "Failed": "red",
    "Stopped": "yellow",
    "Executing": "cyan",
    "Approved": "green",
    "Rejected": "red",
    "PendingManualApproval": "yellow",
    "Pending": "yellow",
    "serves": "green",
    "Passed": "green",
    "RolledBack": "red",
    "Requested": "cyan",
    "Deploying": "cyan",
    "better": "green",
    "worse": "red",
}
