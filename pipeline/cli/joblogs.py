"""The lines of a step's jobs: of its one job, or of its trials one after the other."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipeline.aws.executions import describe, watch
from pipeline.aws.logs import Line, follow, read
from pipeline.cli.following import outage_of
from pipeline.cli.lookup import find_step, target_of
from pipeline.cli.options import Target
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.models import Job, Step
    from pipeline.aws.outages import Outage

_SECONDS = {Target.LOCAL: 1.0, Target.AWS: 5.0}  # between looks
_ENDED = {"Completed", "Failed", "Stopped"}


def step_lines(session: boto3.Session, arn: str, wanted: str, *, follow: bool) -> Iterator[str]:
    """Yield the lines of a step, or of one trial as `Tune/2`.

    Raises:
        UserError: no such step or trial, or one that has no job.
    """
    name, _, trial = wanted.partition("/")
    if follow:
        _wait_for_job(session, arn, name)
    step = _step(session, arn, name)
    if step.job is None:
        raise UserError(f"step {step.name} is {step.status} and has no job, so no log")
    if trial:
        yield from _job_lines(session, arn, step, _trial(step, trial), follow=follow)
    elif step.job.kind == "tuning":
        yield from _trials(session, arn, step, follow=follow)
    else:
        yield from _job_lines(session, arn, step, step.job, follow=follow)


def _step(session: boto3.Session, arn: str, name: str) -> Step:
    return find_step(describe(session, arn), name)


def _trial(step: Step, number: str) -> Job:
    if not (number.isdecimal() and 1 <= int(number) <= len(step.trials)):
        raise UserError(f"step {step.name} has no trial {number!r}: it has {len(step.trials)}, counted from 1")
    return step.trials[int(number) - 1].job


def _trials(session: boto3.Session, arn: str, step: Step, *, follow: bool) -> Iterator[str]:
    shown = 0
    while True:
        for number, trial in enumerate(step.trials[shown:], start=shown + 1):
            yield f"--- trial {number}: {trial.name}"
            yield from _job_lines(session, arn, step, trial.job, follow=follow)
            shown = number
        if not follow or step.ended is not None:
            return
        time.sleep(_SECONDS[target_of(arn)])
        step = _step(session, arn, step.name)


def _job_lines(session: boto3.Session, arn: str, step: Step, job: Job, *, follow: bool) -> Iterator[str]:
    lines = _following(session, arn, step, job) if follow else iter(read(session, job).lines)
    hosts: set[str] = set()
    for line in lines:
        hosts.add(line.host)
        yield f"[{line.host}] {line.text}" if len(hosts) > 1 or line.host != "algo-1" else line.text


def _following(session: boto3.Session, arn: str, step: Step, job: Job) -> Iterator[Line]:
    def ended() -> bool:
        now = _step(session, arn, step.name)
        mine = [trial.status in _ENDED for trial in now.trials if trial.name == job.name]
        return now.ended is not None or any(mine)

    return follow(session, job, ended, _SECONDS[target_of(arn)], outage=_outage(session, arn))


def _outage(session: boto3.Session, arn: str) -> Outage | None:
    say = lambda text: print(text or "AWS answers again", file=sys.stderr, flush=True)  # noqa: E731
    return outage_of(session, target_of(arn), arn, say)


def _wait_for_job(session: boto3.Session, arn: str, name: str) -> None:
    for execution in watch(session, arn, _SECONDS[target_of(arn)], outage=_outage(session, arn)):
        step = find_step(execution, name)
        if step.job is not None or step.ended is not None:
            return
