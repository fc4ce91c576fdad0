from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.local.store import Store

ARN = "arn:aws:sagemaker:us-east-1:000000000000"
OBJECTIVE = {"Type": "Maximize", "MetricName": "best_val_macro_f1"}


def _training_job(name: str, status: str = "Completed", **members: Any) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "TrainingJobArn": f"{ARN}:training-job/{name}",
        "TrainingJobStatus": status,
        "SecondaryStatus": "Training",
        "ModelArtifacts": {"S3ModelArtifacts": "s3://bincount-local/model.tar.gz"},
        "CreationTime": 1000.0,
        "LastModifiedTime": 1001.0,
        "Tags": [{"Key": "a", "Value": "b"}],
        "_folder": "/nowhere",
        "_pids": [],
        **members,
    }


def _metric(value: float, name: str = "best_val_macro_f1") -> dict[str, Any]:
    return {"MetricName": name, "Value": value, "Timestamp": 1000.0}


@pytest.fixture
def tuning(store: Store) -> str:
    body = {
        "HyperParameterTuningJobName": "tune",
        "HyperParameterTuningJobArn": f"{ARN}:hyper-parameter-tuning-job/tune",
        "HyperParameterTuningJobStatus": "InProgress",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Bayesian",
            "HyperParameterTuningJobObjective": OBJECTIVE,
            "ResourceLimits": {"MaxParallelTrainingJobs": 1},
        },
        "CreationTime": 1000.0,
    }
    store.create("tuning-job", "tune", body)
    trials = [
        _training_job("b", FinalMetricDataList=[_metric(0.4), _metric(9.0, "other")], _tuned={"learning_rate": "0.1"}),
        _training_job("c", "InProgress", _metrics={"best_val_macro_f1": 0.6}, _tuned={"learning_rate": "0.2"}),
        _training_job("a", "Failed", FailureReason="AlgorithmError: out\nof memory"),
    ]
    for trial in trials:
        store.create("training-job", trial["TrainingJobName"], trial, "tune")
    return "tune"


def test_a_training_job_shows_its_metrics_while_it_runs(sagemaker: Any, store: Store) -> None:
    store.create("training-job", "run", _training_job("run", "InProgress", _metrics={"val_loss": 0.5}))
    found = sagemaker.describe_training_job(TrainingJobName="run")
    assert [(m["MetricName"], m["Value"]) for m in found["FinalMetricDataList"]] == [("val_loss", 0.5)]
    assert not {"Tags", "_folder"} & set(found)
    store.update("training-job", "run", FinalMetricDataList=[_metric(0.4, "val_loss")])
    found = sagemaker.describe_training_job(TrainingJobName="run")
    assert [m["Value"] for m in found["FinalMetricDataList"]] == [0.4]


def test_missing_jobs_are_reported_as_the_service_does(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match="Requested resource not found"):
        sagemaker.describe_training_job(TrainingJobName="no")
    with pytest.raises(ClientError, match="Could not find requested job"):
        sagemaker.describe_processing_job(ProcessingJobName="no")
    for call in ("describe_hyper_parameter_tuning_job", "list_training_jobs_for_hyper_parameter_tuning_job"):
        with pytest.raises(sagemaker.exceptions.ResourceNotFound, match="can't find a tuning job"):
            getattr(sagemaker, call)(HyperParameterTuningJobName="no")


def test_a_processing_job_is_described(sagemaker: Any, store: Store) -> None:
    body = {
        "ProcessingJobName": "split",
        "ProcessingJobArn": f"{ARN}:processing-job/split",
        "ProcessingJobStatus": "Completed",
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        },
        "AppSpecification": {"ImageUri": "image"},
        "CreationTime": 1000.0,
        "ExitMessage": "two\nlines",
    }
    store.create("processing-job", "split", body)
    assert sagemaker.describe_processing_job(ProcessingJobName="split")["ExitMessage"] == "two lines"


def test_trials_have_their_hyperparameters_and_objective(sagemaker: Any, tuning: str) -> None:
    listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning)
    failed, done, running = listed["TrainingJobSummaries"]
    assert (failed["TrainingJobName"], failed["ObjectiveStatus"]) == ("a", "Failed")
    assert failed["FailureReason"] == "AlgorithmError: out of memory"
    assert done["FinalHyperParameterTuningJobObjectiveMetric"] == {**OBJECTIVE, "Value": 0.4}
    assert done["TunedHyperParameters"] == {"learning_rate": "0.1"}
    assert (running["ObjectiveStatus"], running["FinalHyperParameterTuningJobObjectiveMetric"]["Value"]) == (
        "Pending",
        0.6,
    )


def test_trials_are_sorted_by_objective_filtered_and_paged(sagemaker: Any, tuning: str) -> None:
    def names(**request: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_training_jobs_for_hyper_parameter_tuning_job").paginate(
            HyperParameterTuningJobName=tuning, PaginationConfig={"PageSize": 1}, **request
        )
        return [one["TrainingJobName"] for page in pages for one in page["TrainingJobSummaries"]]

    assert names() == ["a", "b", "c"]
    assert names(SortBy="FinalObjectiveMetricValue", SortOrder="Descending") == ["c", "b"]
    assert names(StatusEquals="InProgress") == ["c"]


def test_a_tuning_job_that_has_just_begun_is_described(sagemaker: Any, tuning: str) -> None:
    found = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=tuning)
    assert found["HyperParameterTuningJobStatus"] == "InProgress"


def test_the_paths_of_a_job_stay_private(sagemaker: Any, store: Store, tmp_path: Path) -> None:
    store.create("training-job", "run", _training_job("run", _folder=str(tmp_path)))
    assert str(tmp_path) not in str(sagemaker.describe_training_job(TrainingJobName="run"))
