"""The display where there is no terminal: one line for each change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipeline.aws.models import WAITING, Execution, Step, Trial
from pipeline.cli.rows import clock, metrics_text, step_note, trial_note

_WIDTH = 10


def changes(before: Execution | None, now: Execution, at: datetime) -> Iterator[str]:
    """Yield a line for each thing that differs between two looks at an execution; everything after None."""
    stamp = clock(((now.changed if now.done else at) - now.started).total_seconds()).rjust(7)
    whole = f"{stamp}  {now.pipeline} {now.id} {now.status}"
    if before is None or (before.status != now.status and not now.done):
        yield whole
    for step in now.steps:
        yield from (f"{stamp}  {line}" for line in _step(before.step(step.name) if before else None, step))
    if before is not None and before.status != now.status and now.done:
        yield whole


def _step(old: Step | None, step: Step) -> Iterator[str]:
    name = step.name.ljust(_WIDTH)
    known = {trial.name: trial for trial in old.trials} if old else {}
    for number, trial in enumerate(step.trials, start=1):
        if _told(known.get(trial.name)) != _told(trial):
            yield f"{name}  trial {number} {trial.status}  {trial_note(trial)}"
    if step.status not in {"Starting", old.status if old else WAITING}:
        took = clock((step.ended - step.started).total_seconds()) if step.ended and step.started else ""
        cached = "from cache" if step.cached_from else ""
        note = step_note(step) if step.ended else ""
        yield "  ".join(filter(None, (name, step.status, cached, took, note)))
    elif step.metrics != (old.metrics if old else {}):
        yield f"{name}  {metrics_text(step.metrics)}"


def _told(trial: Trial | None) -> tuple[str, str] | None:
    return None if trial is None else (trial.status, trial_note(trial))
