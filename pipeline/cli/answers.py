"""What a model answered for photos, printed."""

from __future__ import annotations

import json as json_
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from pipeline.cli.tables import print_table
from pipeline.errors import UserError

HEAD = ("photo", "items", "confidence", "ask a person", "probabilities", "model")
_ASKS = {True: "yes", False: "no", None: ""}  # None: a server of before answers without it


def print_answers(answers: Sequence[Mapping[str, Any]], *, json: bool) -> None:
    """Print a row a photo, or the answers as JSON. Those with an `error` say it in place of the probabilities.

    Raises:
        UserError: something else than our model answered.
    """
    if json:
        typer.echo(json_.dumps(answers, indent=2))
        return
    # An endpoint says which version answered; an artifact is the one that was named.
    width = len(HEAD) - (not any("model_version" in answer for answer in answers))
    print_table(HEAD[:width], [_cells(answer)[:width] for answer in answers], "no photo was given", spare=HEAD[-1:])


def _cells(answer: Mapping[str, Any]) -> tuple[str, ...]:
    if "error" in answer:
        return answer["file"], "", "", "", str(answer["error"]), ""
    try:
        each = zip(answer["class_labels"], answer["probabilities"], strict=True)
        chances = "  ".join(f"{label}: {chance:.2f}" for label, chance in each)
        confidence, asks = f"{answer['confidence']:.2f}", _ASKS[answer.get("ask_a_person")]
        version = str(answer.get("model_version", ""))
        return answer["file"], str(answer["predicted_label"]), confidence, asks, chances, version
    except (KeyError, TypeError, ValueError):
        raise UserError(f"the answer is no prediction of ours: {str(answer)[:200]}") from None
