"""What the display shows of an execution, as plain rows: who is where, since when, with which figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipeline.aws.models import WAITING, Execution, Step, Trial

SKIPPED = "Skipped"
_TRIAL = {"InProgress": "Executing", "Completed": "Succeeded"}
_RUNNING = {"Starting", "Executing", "Stopping"}
# What a reader wants to see first; a job of another pipeline shows its first metrics by name.
_HEADLINES = ("val_macro_f1", "val_loss", "train_loss")
_SHOWN = 3


@dataclass(frozen=True)
class Branch:
    """Where a step stands inside a condition: under which one, on which outcome."""

    condition: str
    outcome: str


@dataclass(frozen=True)
class Row:
    """One line of the display. `depth` is 0 for a step, 1 for a trial or a step in a branch."""

    name: str
    state: str
    seconds: float | None = None
    note: str = ""
    depth: int = 0
    cached: bool = False
    best: bool = False

    @property
    def running(self) -> bool:
        """Whether something is at work."""
        return self.state in _RUNNING


def branches(definition: Mapping[str, Any]) -> dict[str, Branch]:
    """Return the steps of a definition that stand in a branch of a condition, by name."""
    return dict(_branches(definition.get("Steps", []), None))


def _branches(steps: list[Mapping[str, Any]], branch: Branch | None) -> Iterator[tuple[str, Branch]]:
    for step in steps:
        if branch is not None:
            yield step["Name"], branch
        for key, outcome in (("IfSteps", "True"), ("ElseSteps", "False")):
            yield from _branches(step.get("Arguments", {}).get(key, []), Branch(step["Name"], outcome))


def rows(
    execution: Execution, within: Mapping[str, Branch], now: datetime, notes: Mapping[str, str] | None = None
) -> list[Row]:
    """Return the rows of an execution, trials under their step.

    Args:
        execution: as it is now.
        within: the steps that stand in branches.
        now: what running steps' times are counted to.
        notes: what to say of a step beyond what the execution knows.
    """
    shown: list[Row] = []
    for step in execution.steps:
        note = (notes or {}).get(step.name) or step_note(step)
        shown.append(
            Row(
                name=step.name,
                state=state(step, execution, within),
                seconds=_seconds(step.started, step.ended, now),
                note=note,
                depth=_depth(step.name, within),
                cached=step.cached_from is not None,
            )
        )
        best = best_trial(step)
        shown += [_trial_row(number, trial, best, now) for number, trial in enumerate(step.trials, start=1)]
    return shown


def state(step: Step, execution: Execution, within: Mapping[str, Branch]) -> str:
    """Return a step's status; Skipped where it never comes to it."""
    if step.status != WAITING:
        return step.status
    branch = within.get(step.name)
    condition = execution.step(branch.condition) if branch else None
    if branch and condition and condition.outcome not in {None, branch.outcome}:
        return SKIPPED
    return SKIPPED if execution.done else WAITING


def step_note(step: Step) -> str:
    """Return what there is to say of a step in few words."""
    if step.status in {"Failed", "Stopped"} and step.reason:
        return one_line(step.reason)
    if step.trials:
        return f"{len(step.trials)} trial{'s' * (len(step.trials) > 1)}"
    if step.outcome is not None:
        return "passed" if step.outcome == "True" else "not passed"
    if step.made is not None:
        return f"version {step.made.rpartition('/')[2]}"
    attempt = f"attempt {step.attempts}" if step.attempts > 1 else ""
    return "  ".join(filter(None, (metrics_text(step.metrics), attempt)))


def metrics_text(metrics: Mapping[str, float]) -> str:
    """Return the last value of the metrics that say most."""
    names = [name for name in _HEADLINES if name in metrics] or sorted(metrics)
    return "  ".join(f"{name} {number(metrics[name])}" for name in names[:_SHOWN])


def one_line(text: str) -> str:
    """Return what a job or the service said as one line that cannot command the terminal."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def number(value: float) -> str:
    """Return a figure with as many digits as are read."""
    return f"{value:.4g}"


def best_trial(step: Step) -> Trial | None:
    """Return the trial whose hyperparameters a finished search gives on, as far as the values tell."""
    scored = [trial for trial in step.trials if trial.objective is not None and trial.status == "Completed"]
    if step.status != "Succeeded" or not scored:
        return None
    return max(scored, key=lambda trial: (trial.objective or 0.0) * (-1 if trial.less_is_better else 1))


def _trial_row(index: int, trial: Trial, best: Trial | None, now: datetime) -> Row:
    return Row(
        name=f"trial {index}",
        state=_TRIAL.get(trial.status, trial.status),
        seconds=_seconds(trial.created, trial.ended, now),
        note=trial_note(trial),
        depth=1,
        best=trial is best,
    )


def trial_note(trial: Trial) -> str:
    """Return a trial's hyperparameters and its objective."""
    if trial.status == "Failed" and trial.reason:
        return one_line(trial.reason)
    chosen = "  ".join(f"{name} {_short(value)}" for name, value in sorted(trial.hyperparameters.items()))
    score = f"-> {number(trial.objective)}" if trial.objective is not None else metrics_text(trial.metrics)
    return "  ".join(filter(None, (chosen, score)))


def _short(value: str) -> str:
    try:
        return number(float(value))
    except ValueError:
        return one_line(value).strip('"')


def _seconds(started: datetime | None, ended: datetime | None, now: datetime) -> float | None:
    return None if started is None else max(0.0, ((ended or now) - started).total_seconds())


def _depth(name: str, within: Mapping[str, Branch]) -> int:
    depth = 0
    while name in within:
        depth, name = depth + 1, within[name].condition
    return depth


def clock(seconds: float | None) -> str:
    """Return a duration as 0:07, 12:34 or 1:02:03."""
    if seconds is None:
        return ""
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
