"""Tables: for eyes in a terminal, for `cut` and `awk` elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from pipeline.cli.rows import one_line


def print_table(head: Sequence[str], rows: Iterable[Sequence[str]], nothing: str, spare: Sequence[str] = ()) -> None:
    """Print rows under their heads, tab-separated where the output is no terminal.

    Args:
        head: names of the columns.
        rows: cells, as many as there are columns.
        nothing: what to print where there are no rows and the output is a terminal.
        spare: columns that a terminal too narrow for all does without, the first one first.
    """
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
    shown = _shown(head, listed, spare)
    table = Table(box=None, header_style="bold", padding=(0, _GAP, 0, 0), pad_edge=False)
    for index in shown:
        table.add_column(head[index], overflow="fold")
    for row in listed:
        cells = (row[index] for index in shown)
        table.add_row(*(Text(one_line(cell), style=_COLORS.get(cell, "")) for cell in cells))
    console.print(table)


def fits(head: Sequence[str], rows: Iterable[Sequence[str]]) -> bool:
    """Say whether no cell of a table has to be broken; always true where the output is no terminal."""
    from rich.cells import cell_len
    from rich.console import Console

    console = Console()
    widths = (max(cell_len(one_line(cell)) for cell in column) for column in zip(head, *rows, strict=True))
    return not console.is_terminal or sum(widths) + _GAP * (len(head) - 1) <= console.width


def _shown(head: Sequence[str], rows: Sequence[Sequence[str]], spare: Sequence[str]) -> list[int]:
    shown = list(range(len(head)))
    for name in spare:
        if fits([head[index] for index in shown], ([row[index] for index in shown] for row in rows)):
            break
        shown = [index for index in shown if head[index] != name]
    return shown


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


_GAP = 2  # between columns
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
