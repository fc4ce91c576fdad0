"""`invoke`: the predict function, called with an event."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.options import Target, TargetOption
from pipeline.errors import UserError


def invoke(
    event: Annotated[Path, typer.Argument(help="File with the event as JSON; - reads stdin.")],
    *,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Call the predict function with an event.

    The event is what Lambda gets: {"image_url": ...}, {"s3_uri": ...} or {"image_base64": ...}, or an event of API
    Gateway or of a function URL around one. The answer is printed as
    JSON. Exits with 1 when the answer is an error.
    """
    from pipeline.aws.functions import PREDICT, call
    from pipeline.cli.lookup import open_session

    answer = call(open_session(target), PREDICT, read_event(event))
    typer.echo(json.dumps(answer, indent=2))
    if is_error(answer):
        raise typer.Exit(1)


def read_event(file: Path) -> Any:  # noqa: ANN401
    """Return the JSON of a file, or of stdin for `-`. Raises UserError where it is none, OSError."""
    where = "stdin" if str(file) == "-" else str(file)
    data = sys.stdin.buffer.read() if where == "stdin" else file.read_bytes()
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} holds no JSON: {error}") from None


def is_error(answer: dict[str, Any]) -> bool:
    """Say whether the function's answer has the status of an error."""
    status = answer.get("statusCode")
    return isinstance(status, int) and status >= 400
