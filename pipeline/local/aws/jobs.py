"""SageMaker: training, processing and tuning jobs, described while they run and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.local.aws.account import Account
from pipeline.local.aws.answers import Answer, Request, invalid, members, not_found, operation, public
from pipeline.local.aws.paging import Document, ordered, page

_PAGE = 10  # the service's default for trials
# What the service always describes, and a request may leave out or a job that has just begun may not have.
_TRAINING = {
    "StoppingCondition": {"MaxRuntimeInSeconds": 86_400},
    "SecondaryStatus": "Starting",
}
_TUNING: Mapping[str, Any] = {"TrainingJobStatusCounters": {}, "ObjectiveStatusCounters": {}}


@operation("sagemaker", "DescribeTrainingJob")
def describe_training_job(account: Account, request: Request) -> Answer:
    """Answer the job with the last value of each of its metrics so far."""
    found = account.store.get("training-job", request["TrainingJobName"])
    if found is None:
        raise invalid("Requested resource not found.")
    metrics = final_metrics(found)
    return _described(found, _TRAINING) | ({"FinalMetricDataList": metrics} if metrics else {})


def _described(job: Document, defaults: Mapping[str, Any]) -> Answer:
    """Return what the service describes of a job: all that was asked for save the tags."""
    shown = {**defaults, **public(job)}
    shown.pop("Tags", None)
    return shown


@operation("sagemaker", "DescribeProcessingJob")
def describe_processing_job(account: Account, request: Request) -> Answer:
    """Answer the job."""
    found = account.store.get("processing-job", request["ProcessingJobName"])
    if found is None:
        raise invalid("Could not find requested job.")
    return _described(found, {})


@operation("sagemaker", "DescribeHyperParameterTuningJob")
def describe_hyper_parameter_tuning_job(account: Account, request: Request) -> Answer:
    """Answer the tuning job."""
    return _described(_find_tuning(account, request["HyperParameterTuningJobName"]), _TUNING)


def _find_tuning(account: Account, name: str) -> dict[str, Any]:
    found = account.store.get("tuning-job", name)
    if found is None:
        raise not_found(f"Amazon SageMaker can't find a tuning job with the name {name}.")
    return found


@operation("sagemaker", "ListTrainingJobsForHyperParameterTuningJob")
def list_training_jobs_for_hyper_parameter_tuning_job(account: Account, request: Request) -> Answer:
    """Answer the trials of a tuning job, by name unless asked otherwise."""
    tuning = _find_tuning(account, request["HyperParameterTuningJobName"])
    trials = [
        _trial(job, tuning)
        for job in account.store.find("training-job", tuning["HyperParameterTuningJobName"])
        if request.get("StatusEquals") in {None, job["TrainingJobStatus"]}
    ]
    if request.get("SortBy") == "FinalObjectiveMetricValue":
        trials = [trial | {"_objective": _objective(trial)} for trial in trials if _objective(trial) is not None]
    by = {"Name": "TrainingJobName", "CreationTime": "CreationTime", "Status": "TrainingJobStatus"}
    in_order = ordered(trials, request, by | {"FinalObjectiveMetricValue": "_objective"})
    return page(in_order, {"MaxResults": _PAGE, **request}, "TrainingJobSummaries", "TrainingJobName", public)


def _objective(trial: Document) -> float | None:
    value: float | None = trial.get("FinalHyperParameterTuningJobObjectiveMetric", {}).get("Value")
    return value


def _trial(job: Document, tuning: Document) -> Answer:
    """Return the summary of a trial: the hyperparameters that were tuned, and the objective it reached."""
    shown = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingStartTime", "TrainingEndTime")
    summary = members(job, *shown, "TrainingJobStatus", "FailureReason")
    return summary | {"TunedHyperParameters": job.get("_tuned", {})} | _reached(job, tuning)


def _reached(job: Document, tuning: Document) -> Answer:
    objective = tuning["HyperParameterTuningJobConfig"].get("HyperParameterTuningJobObjective", {})
    for metric in final_metrics(job):
        if metric["MetricName"] == objective.get("MetricName"):
            reached = {"Type": objective["Type"], "MetricName": metric["MetricName"], "Value": metric["Value"]}
            status = "Pending" if job["TrainingJobStatus"] == "InProgress" else "Succeeded"
            return {"FinalHyperParameterTuningJobObjectiveMetric": reached, "ObjectiveStatus": status}
    return {"ObjectiveStatus": "Pending" if job["TrainingJobStatus"] == "InProgress" else "Failed"}


def final_metrics(job: Document) -> list[dict[str, Any]]:
    """Return a training job's metrics, the last value of each: as recorded, else from the live ones."""
    recorded: list[dict[str, Any]] = job.get("FinalMetricDataList") or []
    if recorded:
        return recorded
    time = job.get("LastModifiedTime") or job["CreationTime"]
    live = job.get("_metrics") or {}
    return [{"MetricName": name, "Value": value, "Timestamp": time} for name, value in live.items()]
