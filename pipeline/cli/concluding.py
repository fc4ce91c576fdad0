"""An execution as it stands, and how it ended: printed, and written down where somebody asks for it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.cli.options import INTERRUPTED, Target
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.models import Execution
    from pipeline.cli.outcome import Outcome

EXIT = {"Succeeded": 0}
_FILE_WIDTH = 200


def draw(session: boto3.Session, execution: Execution) -> None:
    """Print the execution as it is now."""
    from rich.console import Console

    from pipeline.aws.inspection import definition
    from pipeline.cli.following import gate_notes
    from pipeline.cli.live import Picture
    from pipeline.cli.rows import branches

    declared = definition(session, execution.arn)
    picture = Picture(branches(declared))
    picture.execution, picture.notes = execution, gate_notes(session, execution, declared, {})
    console = Console()
    # Nobody looks at the right edge of a file: what would be cut in a terminal stays whole.
    console.print(picture.render(), width=None if console.is_terminal else _FILE_WIDTH)


def finish(session: boto3.Session, target: Target, execution: Execution) -> Outcome:
    """Print how the execution ended and where what it made lies."""
    from pipeline.aws.inspection import definition
    from pipeline.cli.outcome import outcome
    from pipeline.cli.tables import print_pairs

    ended = outcome(session, execution, definition(session, execution.arn))
    print_pairs(ended.lines(), "bold green" if execution.status == "Succeeded" else "bold red")
    if target is Target.AWS:
        show_links(execution)
    return ended


def show_links(execution: Execution) -> None:
    """Print the addresses of the execution, its jobs, their logs and the version in the console."""
    from pipeline.aws.links import links
    from pipeline.cli.tables import print_pairs

    print_pairs(links(execution))


def conclude(session: boto3.Session, target: Target, execution: Execution, summary: Path | None = None) -> int:
    """Wait for the verdict of what the execution deployed, print how all ended, and return the exit code.

    Ctrl-C leaves while the deployment goes on. `summary` is a file that gets a Markdown summary at its end.
    """
    from pipeline.cli.lookup import flag
    from pipeline.cli.staging import verdict

    code, hint = EXIT.get(execution.status, 1), ""
    if execution.status == "Succeeded":
        try:
            deployed = verdict(session, target, execution)
            code = 1 if deployed is not None and deployed.failed else code
        except KeyboardInterrupt:
            code, hint = (
                INTERRUPTED,
                f"left: the deployment goes on; `bincount status {execution.id}{flag(execution.arn)}` tells",
            )
        except UserError as error:
            code, hint = 1, str(error)
    ended = finish(session, target, execution)
    if hint:
        print(hint, file=sys.stderr)
    if summary is not None:
        _append(summary, _summary(session, target, execution, ended))
    return code


def _summary(session: boto3.Session, target: Target, execution: Execution, ended: Outcome) -> str:
    from pipeline.cli.summary import markdown

    return markdown(execution, ended, _cost(session, execution) if target is Target.AWS else "", target)


def _cost(session: boto3.Session, execution: Execution) -> str:
    """Return what the execution was billed for; nothing where that cannot be read: it hides no end."""
    from pipeline.cli.billing import billed
    from pipeline.cost.usd import money

    try:
        bill = billed(session, execution.arn)[1]
    except UserError:
        return ""
    left_out = f", without {', '.join(bill.unpriced)}" if bill.unpriced else ""
    return f"about {money(bill.usd)} for {bill.seconds:.0f} billed seconds{left_out}"


def _append(path: Path, text: str) -> None:
    """Add to a file, as CI wants it. An execution that went well does not fail for it: then it is said."""
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        print(f"the summary cannot be written to {path}: {error.strerror}", file=sys.stderr)
