"""The display in a terminal: the DAG as a table that lives until the execution ends."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from pipeline.cli.rows import Branch, Row, clock, rows

if TYPE_CHECKING:
    from rich.console import RenderableType

    from pipeline.aws.models import Execution

_ICONS = {
    "Waiting": ("○", "bright_black"),
    "Skipped": ("·", "bright_black"),
    "Starting": ("●", "cyan"),
    "Executing": ("●", "cyan"),
    "Stopping": ("●", "yellow"),
    "Stopped": ("■", "yellow"),
    "Succeeded": ("✔", "green"),
    "Failed": ("✘", "red"),
}
_DIM = {"Waiting", "Skipped"}


class Picture:
    """The picture of an execution; `update` it, and `render` it as often as the clock moves."""

    def __init__(self, within: Mapping[str, Branch]) -> None:
        self._within = within
        self._spinner = Spinner("dots", style="cyan")
        self.execution: Execution | None = None
        self.notes: dict[str, str] = {}
        self.message = ""

    def render(self) -> RenderableType:
        """Return the picture as it is at this moment."""
        now = datetime.now(UTC)
        whole = Table.grid(padding=(0, 0), expand=True)
        whole.add_row(self._title(now))
        if self.execution is not None:
            whole.add_row(self._steps(self.execution, now))
        if self.message:
            whole.add_row(Text(self.message, style="yellow"))
        return whole

    def _title(self, now: datetime) -> Text:
        if self.execution is None:
            return Text("starting ...", style="bright_black")
        execution = self.execution
        color = _ICONS.get(execution.status, ("", "white"))[1]
        taken = ((execution.changed if execution.done else now) - execution.started).total_seconds()
        return Text.assemble(
            (execution.pipeline, "bold"),
            "  ",
            (execution.id, "bright_black"),
            "  ",
            (execution.status, f"bold {color}"),
            f"  {clock(taken)}",
        )

    def _steps(self, execution: Execution, now: datetime) -> Table:
        table = Table.grid(padding=(0, 2, 0, 0), expand=True)
        table.add_column(no_wrap=True)
        table.add_column(justify="right", no_wrap=True, min_width=5)
        table.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        shown = rows(execution, self._within, now, self.notes)
        for index, row in enumerate(shown):
            style = "bright_black" if row.state in _DIM else ""
            last = index + 1 == len(shown) or shown[index + 1].depth < row.depth
            table.add_row(self._name(row, last, style), Text(clock(row.seconds), style=style), _note(row, style))
        return table

    def _name(self, row: Row, last: bool, style: str) -> Text:
        icon, color = _ICONS.get(row.state, ("?", ""))
        line = Text("  ")
        if row.depth:
            line.append("│ " * (row.depth - 1) + ("└ " if last else "├ "), "bright_black")
        if row.running:
            line.append_text(Text.assemble(self._spinner.render(time.monotonic())))  # type: ignore[arg-type]
        else:
            line.append(icon, color)
        line.append(f" {row.name}", style or ("" if row.depth else "bold"))
        return line


def _note(row: Row, style: str) -> Text:
    note = Text(style=style)
    if row.cached:
        note.append("cached  ", "magenta")
    if row.best:
        note.append("best  ", "green")
    note.append(row.note, "red" if row.state == "Failed" else style)
    return note
