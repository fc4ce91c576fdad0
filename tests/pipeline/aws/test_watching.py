from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pipeline.aws.errors import code_of
from pipeline.aws.watching import declared_steps, watch
from pipeline.errors import UserError
from pipeline.local.store import Store


def test_snapshots_come_with_changes_and_end_with_the_execution(
    session: boto3.Session, running: str, store: Store
) -> None:
    changes: list[dict[str, Any]] = [{}, {"StepStatus": "Executing"}, {}, {"StepStatus": "Succeeded"}]
    store.create("step", f"{running}/First", {"StepName": "First", "StepStatus": "Starting"}, running)

    def sleep(seconds: float) -> None:
        assert seconds == 0.25
        if changes:
            store.update("step", f"{running}/First", **changes.pop(0))
        else:
            store.update("execution", running, PipelineExecutionStatus="Succeeded")

    seen = [(one.status, one.steps[0].status) for one in watch(session, running, every=0.25, sleep=sleep)]
    assert seen == [
        ("Executing", "Starting"),
        ("Executing", "Executing"),
        ("Executing", "Succeeded"),
        ("Succeeded", "Succeeded"),
    ]


def test_throttling_is_waited_out_with_longer_pauses(
    session: boto3.Session, running: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.update("execution", running, PipelineExecutionStatus="Failed", FailureReason="why")
    refusals = [ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, "Describe")] * 3
    from pipeline.aws.watching import Reader

    read = Reader.read

    def throttled(reader: Reader) -> Any:
        if refusals:
            raise refusals.pop()
        return read(reader)

    monkeypatch.setattr(Reader, "read", throttled)
    pauses: list[float] = []
    seen = list(watch(session, running, every=1.0, sleep=pauses.append))
    assert pauses == [2.0, 4.0, 8.0]
    assert [(one.status, one.reason) for one in seen] == [("Failed", "why")]


def test_a_missing_execution_is_one_line(session: boto3.Session, running: str) -> None:
    with pytest.raises(UserError, match=r"^Pipeline execution '.*' does not exist\.$"):
        next(watch(session, running[:-3] + "xyz"))


def test_ended_jobs_are_asked_for_once(
    session: boto3.Session, running: str, store: Store, training_job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.aws.watching import Reader

    arn = training_job("job-1", "Completed")
    step = {"StepName": "First", "StepStatus": "Executing", "Metadata": {"TrainingJob": {"Arn": arn}}}
    store.create("step", f"{running}/First", step, running)
    calls: list[str] = []
    client: Any = session.client("sagemaker")
    client.meta.events.register("before-parameter-build.sagemaker", lambda model, **_: calls.append(model.name))
    monkeypatch.setattr(session, "client", lambda _service: client)
    reader = Reader(session, running)
    for _ in range(3):
        reader.read()
    assert calls.count("DescribeTrainingJob") == calls.count("DescribePipelineDefinitionForExecution") == 1
    assert calls.count("DescribePipelineExecution") == 3


def test_steps_of_nested_branches_are_declared() -> None:
    inner = {"Name": "B", "Type": "Condition", "Arguments": {"IfSteps": [{"Name": "C", "Type": "Fail"}]}}
    steps = [{"Name": "A", "Type": "Condition", "Arguments": {"IfSteps": [], "ElseSteps": [inner]}}]
    assert list(declared_steps(steps)) == [("A", "Condition"), ("B", "Condition"), ("C", "Fail")]


def test_the_code_of_an_error_without_one_is_empty() -> None:
    assert code_of(ClientError({}, "Call")) == ""
