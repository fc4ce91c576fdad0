"""How an execution ended, as Markdown for the summary of a CI job. Names come from anywhere: they are text alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from pipeline.cli.figures import METRICS, figure
from pipeline.cli.options import Target
from pipeline.cli.rows import clock, one_line

if TYPE_CHECKING:
    from pipeline.aws.models import Execution
    from pipeline.cli.outcome import Outcome

_LONGEST = 1000
_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+!|~&@$:^-])")
_MOST_CLASSES = 20
_IN_URLS = ":/?#&=$%,~@"


def markdown(execution: Execution, ended: Outcome, cost: str, target: Target) -> str:
    """Return the summary.

    Args:
        execution: that ended.
        ended: how.
        cost: what it cost; empty where nobody knows.
        target: where it ran: on AWS there are pages to link to.
    """
    parts = [
        f"## {escape(execution.pipeline)} {escape(execution.id)}: {escape(execution.status)}",
        _table(("", ""), _facts(execution, ended, cost)),
        _metrics(ended.figures),
        _matrix(ended.figures),
        _links(execution, ended) if target is Target.AWS else "",
    ]
    return "\n\n".join(filter(None, parts)) + "\n\n"


def escape(text: str) -> str:
    """Return a text that Markdown shows as it is: one line, no markup, no address that becomes a link."""
    line = one_line(text)
    line = line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."
    return re.sub(r"(?i)\b(www)\.", r"\1\\.", _MARKUP.sub(r"\\\1", line))


def _facts(execution: Execution, ended: Outcome, cost: str) -> Iterator[tuple[str, str]]:
    gate = ", ".join(f"{'passed' if one.held else 'not passed'}: {one}" for one in ended.gate)
    facts = {
        "name": execution.name,
        "took": clock(ended.seconds),
        "reason": ended.reason,
        "advice": ended.advice,
        "gate": gate,
        "model": ended.version,
        "staging": ended.staging,
        "report": ended.report,
        "cost": cost,
        "approve": ended.approve,
        "resume": ended.resume,
    }
    yield from ((name, escape(text)) for name, text in facts.items() if text)


def _metrics(figures: Mapping[str, Any]) -> str:
    block = figures.get("multiclass_classification_metrics")
    found = [(title, figure(block, name)) for name, title in METRICS.items()]
    rows = [
        (escape(title), f"{one.value:.3f}", f"{one.interval[0]:.3f} to {one.interval[1]:.3f}" if one.interval else "")
        for title, one in found
        if one is not None
    ]
    return _table(("metric", "value", "95 % interval"), rows) if rows else ""


def _matrix(figures: Mapping[str, Any]) -> str:
    """Return the confusion matrix, true labels down, predicted ones across; nothing of what is none."""
    block = figures.get("multiclass_classification_metrics")
    matrix = block.get("confusion_matrix") if isinstance(block, Mapping) else None
    if not isinstance(matrix, Mapping) or not 0 < len(matrix) <= _MOST_CLASSES:
        return ""
    labels = list(matrix)
    rows = []
    for true in labels:
        counts = matrix[true]
        if not isinstance(counts, Mapping):
            return ""
        cells = (escape(str(counts.get(label, ""))) for label in labels)
        rows.append((f"**{escape(str(true))}**", *cells))
    return _table(("true, predicted", *(escape(str(label)) for label in labels)), rows)


def _links(execution: Execution, ended: Outcome) -> str:
    from pipeline.aws.links import links, object_url, region_of

    found = [(word, *target.partition(" ")[::2]) for word, target in links(execution)]
    if ended.report.startswith("s3://"):
        found.append(("report", object_url(region_of(execution.arn), ended.report), ""))
    lines = (f"- [{escape(word)}]({quote(url, safe=_IN_URLS)}) {escape(note)}" for word, url, note in found)
    return "\n".join(line.rstrip() for line in lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
