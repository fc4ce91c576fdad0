"""`docs/cli.md`, written from what help says, and `docs/run.svg`, what `bincount run` looks like.

python -m pipeline.cli.docs
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import typer
from typer.main import get_command

from pipeline.cli.main import app

DOCS = Path(__file__).parents[2] / "docs"
_WIDTH = 100
_WAITING = {
    "Champion": "Lambda",
    "Evaluate": "Processing",
    "Gate": "Condition",
    "Register": "RegisterModel",
    "Deploy": "Lambda",
    "BelowGate": "Fail",
}
_INTRO = """# Command line

Written by `python -m pipeline.cli.docs`; a test fails when it is older than the commands.

State lives in `.bincount` where the command is typed, or in the folder that `BINCOUNT_HOME` names. The exit code is 0
for success, 1 for an error or a failed execution, 2 for a mistyped command, 130 for Ctrl-C. `--debug`, anywhere in the
line, shows the traceback of an error.
"""


def markdown() -> str:
    """Return the help of every command."""
    return "\n".join([_INTRO, *(f"## {name}\n\n```text\n{text}\n```\n" for name, text in helps())])


def helps() -> Iterator[tuple[str, str]]:
    """Yield each command's whole name and its help, groups before what is in them."""
    yield from _helps(get_command(app), "bincount", None)


def _helps(command: Any, name: str, parent: typer.Context | None) -> Iterator[tuple[str, str]]:  # noqa: ANN401
    context = typer.Context(command, info_name=name, parent=parent, terminal_width=_WIDTH, **command.context_settings)
    lines = command.get_help(context).splitlines()
    yield context.command_path, "\n".join(line.rstrip() for line in lines)
    for inner, one in getattr(command, "commands", {}).items():
        yield from _helps(one, inner, context)


def picture() -> str:
    """Return an execution half-way through as SVG, drawn by the display itself."""
    from rich.console import Console

    from pipeline.cli.live import Picture
    from pipeline.cli.rows import Branch

    now = datetime.now(UTC)
    good, bad = Branch("Gate", "True"), Branch("Gate", "False")
    shown = Picture({"Register": good, "Deploy": good, "BelowGate": bad})
    shown.execution = example(now)
    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print("[bold green]$[/] bincount run --profile demo -p DataUri=photos\n", highlight=False)
    console.print(shown.render())
    drawn = console.export_svg(title="bincount", unique_id="bincount")
    # Rich names a font on somebody's server: a picture that asks nobody falls back to the viewer's monospace.
    return re.sub(r"@font-face \{.*?\}", "", drawn, flags=re.DOTALL)


def example(now: datetime) -> Any:  # noqa: ANN401
    """Return the demo in its third epoch of Train: the times and scores of a run on two cores, written down here."""
    from pipeline.aws.models import Execution, Step, Trial

    def ago(seconds: float) -> datetime:
        return now - timedelta(seconds=seconds)

    def trial(number: int, start: float, rate: str, objective: float) -> Trial:
        return Trial(
            f"trial-{number}",
            "Completed",
            ago(start),
            ago(start - 53),
            {"learning_rate": rate},
            objective,
            {},
            None,
            True,
        )

    arn = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/bincount-demo/execution/ajoxn2xlodoi"
    trials = (trial(1, 87, "0.001783", 0.7660), trial(2, 87, "0.002714", 0.7256))
    metrics = {"val_macro_f1": 0.6250, "val_loss": 0.8886, "train_loss": 1.062}
    steps = (
        Step("Split", "Processing", "Succeeded", ago(90), ago(87)),
        Step("Tune", "Tuning", "Succeeded", ago(87), ago(33), trials=trials),
        Step("Train", "Training", "Executing", ago(33), metrics=metrics),
        *(Step(name, kind) for name, kind in _WAITING.items()),
    )
    return Execution(arn, "demo", "Executing", ago(90), now, None, steps)


def main() -> None:
    """Write both files."""
    from pipeline.cli.compiling import write_whole

    DOCS.mkdir(exist_ok=True)
    write_whole(DOCS / "cli.md", markdown())
    write_whole(DOCS / "run.svg", picture())


if __name__ == "__main__":
    main()
