"""A tuning job on record: its description, its trials and the best of them."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.local.context import Context, StepCall, token
from pipeline.local.failures import StepError
from pipeline.local.store import Document

_COUNTED = {"Completed": "Completed", "InProgress": "InProgress", "Failed": "NonRetryableError", "Stopped": "Stopped"}


def trial_request(definition: Mapping[str, Any], tuned: Mapping[str, str], objective: str) -> dict[str, Any]:
    """Return a trial's CreateTrainingJob request: fixed and tuned hyperparameters, and the objective's name."""
    request = {k: v for k, v in definition.items() if k not in {"StaticHyperParameters", "HyperParameterRanges"}}
    fixed = definition.get("StaticHyperParameters", {})
    request["HyperParameters"] = {**fixed, **tuned, "_tuning_objective_metric": objective}
    return request


@dataclass
class TuningRecord:
    """The tuning job `name` in the store. Its trials' documents have it as their parent."""

    context: Context
    name: str
    objective: str
    direction: str
    step: str
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def open(cls, context: Context, call: StepCall) -> TuningRecord:
        """Take up the step's tuning job where one was cut off with the same request, else begin a new one."""
        request = call.arguments
        goal = request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]
        for job in reversed(context.store.find("tuning-job", call.id)):
            same = all(job.get(member) == value for member, value in request.items())
            if same and job["HyperParameterTuningJobStatus"] in {"InProgress", "Stopping", "Stopped"}:
                record = cls(context, job["HyperParameterTuningJobName"], goal["MetricName"], goal["Type"], call.id)
                context.store.update("tuning-job", record.name, HyperParameterTuningJobStatus="InProgress")
                return record
        # The service allows 32 characters.
        name = f"{context.execution_id}-{call.name[:8].replace('_', '-')}-{token(10)}"
        record = cls(context, name, goal["MetricName"], goal["Type"], call.id)
        now = time.time()
        body = {
            **request,
            "HyperParameterTuningJobName": name,
            "HyperParameterTuningJobArn": record.arn,
            "HyperParameterTuningJobStatus": "InProgress",
            "CreationTime": now,
            "LastModifiedTime": now,
        }
        context.store.create("tuning-job", name, body, call.id)
        return record

    @property
    def arn(self) -> str:
        """The tuning job's ARN."""
        return self.context.arn("hyper-parameter-tuning-job", self.name)

    def trials(self) -> list[Document]:
        """Return the trials' training jobs, oldest first."""
        return self.context.store.find("training-job", self.name)

    def finished(self) -> list[Document]:
        """Return the trials that need not run again: `_values` is written when one has ended by itself."""
        return [trial for trial in self.trials() if "_values" in trial]

    def unfinished(self) -> list[Document]:
        """Return the trials that were cut off, once for each set of hyperparameters that did not finish."""
        done = [trial["_tuned"] for trial in self.finished()]
        left: list[Document] = []
        for trial in self.trials():
            if trial["_tuned"] not in done and trial["_tuned"] not in [other["_tuned"] for other in left]:
                left.append(trial)
        return left

    def trial_ended(self, name: str, value: float | None, values: list[float]) -> None:
        """Record a trial's objective and its history, and what that makes of the tuning job."""
        self.context.store.update("training-job", name, _objective=value, _values=values)
        self.refresh()

    def refresh(self) -> Document:
        """Count the trials and name the best one so far."""
        with self._lock:  # two trials that end together must not leave the older count
            trials = self.trials()
            counts = Counter(_COUNTED.get(trial["TrainingJobStatus"], "InProgress") for trial in trials)
            valued = sum(trial.get("_objective") is not None for trial in trials)
            running = counts["InProgress"]
            changes: dict[str, Any] = {
                "TrainingJobStatusCounters": {**dict.fromkeys(["RetryableError", *_COUNTED.values()], 0), **counts},
                "ObjectiveStatusCounters": {
                    "Succeeded": valued,
                    "Pending": running,
                    "Failed": len(trials) - valued - running,
                },
            }
            summaries = self.summaries(trials)
            if summaries:
                changes["BestTrainingJob"] = summaries[0]
                best = summaries[0]["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]
                self.context.store.update("step", self.step, _metrics={self.objective: best})
            return self.context.store.update("tuning-job", self.name, LastModifiedTime=time.time(), **changes)

    def summaries(self, trials: list[Document]) -> list[dict[str, Any]]:
        """Return HyperParameterTrainingJobSummary members of the completed trials with an objective, best first."""
        valued = [t for t in trials if t["TrainingJobStatus"] == "Completed" and t.get("_objective") is not None]
        valued.sort(key=lambda trial: trial["_objective"], reverse=self.direction == "Maximize")
        return [self._summary(trial) for trial in valued]

    def _summary(self, trial: Document) -> dict[str, Any]:
        copied = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingStartTime", "TrainingEndTime")
        return {
            **{member: trial[member] for member in copied},
            "TrainingJobStatus": trial["TrainingJobStatus"],
            "TunedHyperParameters": trial["_tuned"],
            "FinalHyperParameterTuningJobObjectiveMetric": {
                "Type": self.direction,
                "MetricName": self.objective,
                "Value": trial["_objective"],
            },
            "ObjectiveStatus": "Succeeded",
        }

    def complete(self) -> dict[str, Any]:
        """Close the job and return its description with the trials' summaries, best first.

        Raises StepError where no trial completed with a value of the objective.
        """
        description = self.refresh()
        trials = self.trials()
        if "BestTrainingJob" not in description:
            reasons = [trial["FailureReason"] for trial in trials if "FailureReason" in trial]
            why = reasons[0] if reasons else f"no log line matched the objective metric {self.objective}"
            raise StepError(f"ClientError: no training job of {self.name} gave an objective: {why}")
        return {**self.end("Completed"), "TrainingJobSummaries": self.summaries(trials)}

    def end(self, status: str, **changes: Any) -> Document:  # noqa: ANN401
        """Close the job."""
        return self.context.store.update(
            "tuning-job",
            self.name,
            HyperParameterTuningJobStatus=status,
            HyperParameterTuningEndTime=time.time(),
            **changes,
        )
