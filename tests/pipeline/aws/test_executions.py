from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

from pipeline.aws import executions
from pipeline.errors import UserError
from pipeline.local.store import Store

ACCOUNT = "arn:aws:sagemaker:us-east-1:000000000000"


def _step(store: Store, arn: str, name: str, status: str, **members: Any) -> None:
    store.create("step", f"{arn}/{name}", {"StepName": name, "StepStatus": status, **members}, arn)


def test_an_execution_shows_every_declared_step_in_order(session: boto3.Session, running: str, store: Store) -> None:
    _step(store, running, "First", "Succeeded", StartTime=1.0, EndTime=2.0, AttemptCount=2)
    _step(store, running, "Gate", "Succeeded", StartTime=2.0, Metadata={"Condition": {"Outcome": "False"}})
    _step(store, running, "Bad", "Failed", StartTime=3.0, FailureReason="below")
    found = executions.describe(session, running)
    assert (found.status, found.name, found.pipeline, found.id) == ("Executing", "first", "counts", running[-12:])
    assert [(step.name, step.kind, step.status) for step in found.steps] == [
        ("First", "Fail", "Succeeded"),
        ("Gate", "Condition", "Succeeded"),
        ("Good", "Fail", "Waiting"),
        ("Bad", "Fail", "Failed"),
    ]
    first, gate, good, bad = found.steps
    assert (first.attempts, gate.outcome, good.started, bad.reason) == (2, "False", None, "below")
    assert found.step("gate") == gate
    assert found.step("none") is None


def test_a_training_step_has_its_job_and_metrics(
    session: boto3.Session, running: str, store: Store, training_job: Any
) -> None:
    arn = training_job("job-1", FinalMetricDataList=[{"MetricName": "val_macro_f1", "Value": 0.5, "Timestamp": 1.0}])
    source = {"SourcePipelineExecutionArn": f"{ACCOUNT}:pipeline/counts/execution/aaaaaaaaaaaa"}
    _step(store, running, "First", "Executing", Metadata={"TrainingJob": {"Arn": arn}}, CacheHitResult=source)
    step = executions.describe(session, running).steps[0]
    assert step.job is not None
    assert (step.job.kind, step.job.name) == ("training", "job-1")
    assert step.metrics == {"val_macro_f1": 0.5}
    assert step.cached_from == source["SourcePipelineExecutionArn"]


def test_a_tuning_step_has_its_trials(session: boto3.Session, running: str, store: Store, training_job: Any) -> None:
    objective = {"Type": "Maximize", "MetricName": "best_val_macro_f1"}
    tuning = {
        "HyperParameterTuningJobName": "tune",
        "HyperParameterTuningJobArn": f"{ACCOUNT}:hyper-parameter-tuning-job/tune",
        "HyperParameterTuningJobStatus": "InProgress",
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": objective,
            "ResourceLimits": {"MaxParallelTrainingJobs": 1},
        },
        "CreationTime": 1000.0,
    }
    store.create("tuning-job", "tune", tuning)
    metric = {"MetricName": "best_val_macro_f1", "Value": 0.75, "Timestamp": 1.0}
    training_job("t1", "Completed", "tune", FinalMetricDataList=[metric], _tuned={"learning_rate": "0.1"})
    training_job("t2", "Failed", "tune", FailureReason="out of memory", CreationTime=1001.0)
    metadata = {"TuningJob": {"Arn": tuning["HyperParameterTuningJobArn"]}}
    _step(store, running, "First", "Executing", Metadata=metadata)
    step = executions.describe(session, running).steps[0]
    first, second = step.trials
    assert (first.name, first.objective, first.metrics) == ("t1", 0.75, {"best_val_macro_f1": 0.75})
    assert first.hyperparameters == {"learning_rate": "0.1"}
    assert (second.status, second.objective, second.reason) == ("Failed", None, "out of memory")
    assert second.job.kind == "training"


def test_stop_and_retry(session: boto3.Session, running: str, store: Store) -> None:
    executions.stop(session, running)
    assert executions.describe(session, running).status == "Stopping"
    with pytest.raises(UserError, match="is Stopping"):
        executions.retry(session, running)
    store.update("execution", running, PipelineExecutionStatus="Stopped")
    executions.retry(session, running)
    assert executions.describe(session, running).status == "Executing"


def test_executions_are_listed_and_found_by_any_name(session: boto3.Session, made: str, running: str) -> None:
    later = executions.start(session, made, {}, display_name="second")
    assert [one.arn for one in executions.executions(session, made)] == [later, running]
    assert [one.name for one in executions.executions(session, made, limit=1)] == ["second"]
    for wanted, arn in [(None, later), ("first", running), (running[-12:], running), (running, running)]:
        assert executions.resolve(session, made, wanted) == arn
    with pytest.raises(UserError, match="pipeline counts has no execution third"):
        executions.resolve(session, made, "third")


def test_a_pipeline_without_executions_says_what_to_do(session: boto3.Session, made: str) -> None:
    with pytest.raises(UserError, match="`bincount run` starts one"):
        executions.resolve(session, made)


def test_errors_are_one_line(session: boto3.Session, made: str) -> None:
    with pytest.raises(UserError, match=r"^Pipeline '.*/other' does not exist\.$"):
        executions.start(session, "other", {})
    with pytest.raises(UserError, match=r"^Unknown pipeline parameter: \[Epoch\]; the pipeline has Epochs$"):
        executions.start(session, made, {"Epoch": "3"})


def test_the_same_token_starts_once(session: boto3.Session, made: str) -> None:
    assert len({executions.start(session, made, {}, token="t" * 32) for _ in range(2)}) == 1


def test_an_answer_lost_in_the_network_starts_no_second_execution(
    session: boto3.Session, made: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client: Any = session.client("sagemaker")
    send, pauses = client.start_pipeline_execution, list[float]()

    def lossy(**request: Any) -> Any:
        answer = send(**request)
        if len(pauses) < 2:
            raise ReadTimeoutError(endpoint_url="https://aws")
        return answer

    client.start_pipeline_execution = lossy
    monkeypatch.setattr(session, "client", lambda _service: client)
    arn = executions.start(session, made, {}, sleep=pauses.append)
    assert [one.arn for one in executions.executions(session, made)] == [arn]
    assert pauses == [1.0, 4.0]
    pauses.clear()
    with pytest.raises(UserError, match="AWS cannot be reached"):
        executions.start(session, made, {}, sleep=lambda _: None)
