"""The function's entry: compares what production answered of late with what the evaluation led to expect."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from drift import baseline as baselines
from drift import captures, environment, production, verdict
from drift.answers import Tally
from drift.baseline import Baseline
from drift.captures import Limits
from drift.environment import Environment
from drift.event import Question, parse
from drift.production import Production

_SLACK_SECONDS = 30.0  # that are left for the answer when reading stops
_DEFAULT_SECONDS = 300.0  # where the caller is no Lambda


def handler(event: object, context: object) -> dict[str, Any]:
    """Return the verdict on a group's production and put its figures into CloudWatch, see README.md.

    Raises:
        RefusedError: the event or the environment is not what this function takes.
        ClientError, BotoCoreError: the service refuses a call, or has a passing trouble.
    """
    settings = environment.load()
    question = parse(event, settings.project, datetime.now(UTC))
    answer = _answer(settings, question, time.monotonic() + _seconds(context))
    if "Answers" in answer:
        settings.cloudwatch.put_metric_data(Namespace=verdict.NAMESPACE, MetricData=verdict.metrics(answer))  # type: ignore[arg-type]
    print(json.dumps({"event": "drift", **answer}), flush=True)
    return answer


def _seconds(context: object) -> float:
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    return _DEFAULT_SECONDS if remaining is None else float(remaining()) / 1000 - _SLACK_SECONDS


def _answer(settings: Environment, question: Question, deadline: float) -> dict[str, Any]:
    serving = production.find(settings, question)
    if serving is None:
        reason = f"there is no endpoint {question.endpoint} that serves a version"
        return verdict.about(question, verdict.NO_ENDPOINT, reason)
    version = {"Version": serving.version}
    if serving.captures is None:
        reason = "the endpoint keeps no answers: its version was built with deploy.capture_percent = 0"
        return verdict.about(question, verdict.NO_CAPTURE, reason) | version
    baseline = _baseline(settings, serving)
    if isinstance(baseline, str):
        return verdict.about(question, verdict.NO_BASELINE, baseline) | version
    tally = Tally(serving.model_version, baseline.labels)
    complete = captures.read(settings, serving.captures, question, tally, Limits(deadline))
    return verdict.answer(question, baseline, tally, settings.psi_limit, complete=complete) | version


def _baseline(settings: Environment, serving: Production) -> Baseline | str:
    """Return the version's baseline, or why there is none."""
    where = production.baseline_place(settings, serving)
    return baselines.read(settings, where) if where else "the version names none: it is older than this check"
