"""An execution as it is now, put together from the service's answers; and again whenever it changes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pipeline.aws.models import Execution, Job, Step, Trial
from pipeline.aws.outages import Outage
from pipeline.aws.polling import looks

if TYPE_CHECKING:
    import boto3

_JOBS = {"TrainingJob": "training", "ProcessingJob": "processing", "TuningJob": "tuning"}
_RUNNING = {"InProgress", "Stopping"}


def watch(
    session: boto3.Session,
    arn: str,
    every: float = 1.0,
    sleep: Callable[[float], None] = time.sleep,
    outage: Outage | None = None,
) -> Iterator[Execution]:
    """Yield the execution now and after each change, until it has ended.

    It is asked every `every` seconds, less often while the service throttles; what `outage` bears is waited out.
    Raises UserError.
    """
    last: Execution | None = None
    for now in looks(Reader(session, arn).read, every, sleep, outage):
        if now is not None and now != last:
            last = now
            yield now
        if now is not None and now.done:
            return


class Reader:
    """Reads one execution again and again, asking only once for what does not change any more."""

    def __init__(self, session: boto3.Session, arn: str) -> None:
        self._client: Any = session.client("sagemaker")
        self._arn = arn
        self._declared: dict[str, str] = {}
        # By job and the start of its step: a resumed execution starts a step again, and with it what had ended.
        self._metrics: dict[tuple[str, object], Mapping[str, float]] = {}
        self._trials: dict[tuple[str, object], tuple[Trial, ...]] = {}

    def read(self) -> Execution:
        """Return the execution. Raises botocore's exceptions."""
        # The execution first: once it has ended, the steps read after it have ended too.
        about = self._client.describe_pipeline_execution(PipelineExecutionArn=self._arn)
        self._declared = self._declared or self._declare()
        listed = {
            step["StepName"]: step for step in self._pages("list_pipeline_execution_steps", "PipelineExecutionSteps")
        }
        names = [*self._declared, *(name for name in listed if name not in self._declared)]
        return Execution(
            arn=self._arn,
            name=about.get("PipelineExecutionDisplayName", ""),
            status=about["PipelineExecutionStatus"],
            started=about["CreationTime"],
            changed=about["LastModifiedTime"],
            reason=about.get("FailureReason"),
            steps=tuple(self._step(name, listed.get(name)) for name in names),
        )

    def _declare(self) -> dict[str, str]:
        text = self._client.describe_pipeline_definition_for_execution(PipelineExecutionArn=self._arn)
        return dict(declared_steps(json.loads(text["PipelineDefinition"]).get("Steps", [])))

    def _pages(self, operation: str, result: str, **request: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401
        request = request or {"PipelineExecutionArn": self._arn}
        for page in self._client.get_paginator(operation).paginate(**request):
            yield from page[result]

    def _step(self, name: str, listed: Mapping[str, Any] | None) -> Step:
        kind = self._declared.get(name, "")
        if listed is None:
            return Step(name, kind)
        metadata, started = listed.get("Metadata", {}), listed.get("StartTime")
        job = next((Job(_JOBS[key], _last(value["Arn"])) for key, value in metadata.items() if key in _JOBS), None)
        return Step(
            name=name,
            kind=kind,
            status=listed["StepStatus"],
            started=started,
            ended=listed.get("EndTime"),
            reason=listed.get("FailureReason"),
            attempts=listed.get("AttemptCount", 0),
            cached_from=listed.get("CacheHitResult", {}).get("SourcePipelineExecutionArn"),
            job=job,
            outcome=metadata.get("Condition", {}).get("Outcome"),
            made=metadata.get("RegisterModel", {}).get("Arn"),
            metrics=self._job_metrics(job.name, started) if job is not None and job.kind == "training" else {},
            trials=self._job_trials(job.name, started) if job is not None and job.kind == "tuning" else (),
        )

    def _job_metrics(self, name: str, started: object) -> Mapping[str, float]:
        if (name, started) in self._metrics:
            return self._metrics[name, started]
        job = self._client.describe_training_job(TrainingJobName=name)
        metrics = {metric["MetricName"]: metric["Value"] for metric in job.get("FinalMetricDataList", [])}
        if job["TrainingJobStatus"] not in _RUNNING:
            self._metrics[name, started] = metrics
        return metrics

    def _job_trials(self, name: str, started: object) -> tuple[Trial, ...]:
        if (name, started) in self._trials:
            return self._trials[name, started]
        status = self._client.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=name)
        order = {"HyperParameterTuningJobName": name, "SortBy": "CreationTime", "SortOrder": "Ascending"}
        listed = self._pages("list_training_jobs_for_hyper_parameter_tuning_job", "TrainingJobSummaries", **order)
        trials = tuple(self._trial(one, started) for one in listed)
        if status["HyperParameterTuningJobStatus"] not in _RUNNING:
            self._trials[name, started] = trials
        return trials

    def _trial(self, listed: Mapping[str, Any], started: object) -> Trial:
        reached = listed.get("FinalHyperParameterTuningJobObjectiveMetric", {})
        return Trial(
            name=listed["TrainingJobName"],
            status=listed["TrainingJobStatus"],
            created=listed["CreationTime"],
            ended=listed.get("TrainingEndTime"),
            hyperparameters=listed["TunedHyperParameters"],
            objective=reached.get("Value"),
            metrics=self._job_metrics(listed["TrainingJobName"], started),
            reason=listed.get("FailureReason"),
            less_is_better=reached.get("Type") == "Minimize",
        )


def declared_steps(steps: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield name and type of every step in a definition's Steps, those in the branches of conditions included."""
    for step in steps:
        yield step["Name"], step["Type"]
        arguments = step.get("Arguments", {})
        for branch in ("IfSteps", "ElseSteps"):
            yield from declared_steps(arguments.get(branch, []))


def _last(arn: str) -> str:
    return arn.rpartition("/")[2]
