from __future__ import annotations

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.local import aws
from pipeline.local.home import Home
from pipeline.local.store import Store


def _start(sagemaker: Any, name: str, **more: Any) -> str:
    arn: str = sagemaker.start_pipeline_execution(PipelineName=name, **more)["PipelineExecutionArn"]
    return arn


def _describe(sagemaker: Any, arn: str) -> dict[str, Any]:
    found: dict[str, Any] = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    return found


def _dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_start_records_the_execution_and_launches_its_engine(
    sagemaker: Any, made: str, launched: list[str], store: Store
) -> None:
    arn = _start(
        sagemaker,
        made,
        PipelineExecutionDisplayName="first",
        PipelineParameters=[{"Name": "Epochs", "Value": "9"}],
        ParallelismConfiguration={"MaxParallelExecutionSteps": 2},
    )
    assert launched == [arn]
    assert re.fullmatch(r"arn:aws:sagemaker:us-east-1:000000000000:pipeline/counts/execution/[a-z0-9]{12}", arn)
    found = _describe(sagemaker, arn)
    assert found["PipelineExecutionStatus"] == "Executing"
    assert found["PipelineExecutionDisplayName"] == "first"
    assert found["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 2}
    parameters = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    assert {p["Name"]: p["Value"] for p in parameters}["Epochs"] == "9"
    assert (store.get("execution", arn) or {})["_parameters"]["MinMacroF1"] == "0.5"


def test_the_same_token_starts_once_even_at_the_same_time(sagemaker: Any, made: str, launched: list[str]) -> None:
    with ThreadPoolExecutor(4) as pool:
        arns = set(pool.map(lambda _: _start(sagemaker, made, ClientRequestToken="s" * 32), range(8)))
    assert len(arns) == len(launched) == 1
    assert _start(sagemaker, made, ClientRequestToken="u" * 32) not in arns


def test_bad_parameters_start_nothing(sagemaker: Any, made: str, launched: list[str]) -> None:
    for parameter, message in [
        ({"Name": "Nope", "Value": "1"}, "Unknown pipeline parameter"),
        ({"Name": "Epochs", "Value": "many"}, "must be of type Integer"),
        ({"Name": "Approval", "Value": "x" * 1025}, "less than or equal to 1024"),
    ]:
        with pytest.raises(ClientError, match=message):
            _start(sagemaker, made, PipelineParameters=[parameter])
    assert launched == []
    assert sagemaker.list_pipeline_executions(PipelineName=made)["PipelineExecutionSummaries"] == []


def test_an_execution_keeps_the_definition_that_it_started_with(sagemaker: Any, made: str, definition: Any) -> None:
    arn = _start(sagemaker, made)
    before = sagemaker.describe_pipeline(PipelineName=made)["PipelineDefinition"]
    sagemaker.update_pipeline(PipelineName=made, PipelineDefinition=definition(message="new"))
    kept = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    assert kept["PipelineDefinition"] == before


def test_what_local_executions_cannot_do_is_refused(sagemaker: Any, made: str) -> None:
    config = {"SourcePipelineExecutionArn": f"{'arn:aws:sagemaker:us-east-1:000000000000:pipeline/x/execution/y'}"}
    with pytest.raises(ClientError, match="SelectiveExecutionConfig is not part of local AWS"):
        _start(sagemaker, made, SelectiveExecutionConfig={**config, "SelectedSteps": [{"StepName": "End"}]})


@pytest.mark.parametrize(
    ("status", "stop", "retry"),
    [
        ("Executing", True, False),
        ("Stopping", True, False),
        ("Stopped", False, True),
        ("Failed", False, True),
        ("Succeeded", False, False),
    ],
)
def test_stop_and_retry_ask_for_the_right_status(
    sagemaker: Any,
    made: str,
    store: Store,
    launched: list[str],
    status: str,
    stop: bool,
    retry: bool,
) -> None:
    arn = _start(sagemaker, made)
    for verb, allowed, after in (
        ("stop_pipeline_execution", stop, "Stopping"),
        ("retry_pipeline_execution", retry, "Executing"),
    ):
        store.update("execution", arn, PipelineExecutionStatus=status, FailureReason="once")
        if allowed:
            getattr(sagemaker, verb)(PipelineExecutionArn=arn)
            assert _describe(sagemaker, arn)["PipelineExecutionStatus"] == after
        else:
            with pytest.raises(ClientError, match=f"is {status}"):
                getattr(sagemaker, verb)(PipelineExecutionArn=arn)
    assert len(launched) == 1 + retry


def test_a_retry_starts_clean_and_once(sagemaker: Any, made: str, store: Store, launched: list[str]) -> None:
    arn = _start(sagemaker, made)
    store.update("execution", arn, PipelineExecutionStatus="Failed", FailureReason="once")
    for _ in range(2):
        sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn, ClientRequestToken="r" * 32)
    assert launched == [arn, arn]
    assert "FailureReason" not in _describe(sagemaker, arn)


@pytest.mark.parametrize(
    ("status", "after", "reason"),
    [("Executing", "Failed", r"`bincount resume \w{12}` continues"), ("Stopping", "Stopped", "ended before")],
)
def test_an_execution_whose_engine_died_has_an_end(
    sagemaker: Any, made: str, store: Store, status: str, after: str, reason: str
) -> None:
    arn = _start(sagemaker, made)
    store.update("execution", arn, _engine_pid=_dead_pid(), PipelineExecutionStatus=status)
    for name, step_status in (("Done", "Succeeded"), ("Half", "Executing")):
        store.create("step", f"{arn}/{name}", {"StepName": name, "StepStatus": step_status, "StartTime": 1.0}, arn)
    listed = sagemaker.list_pipeline_executions(PipelineName=made)["PipelineExecutionSummaries"][0]
    assert listed["PipelineExecutionStatus"] == after
    found = _describe(sagemaker, arn)
    assert found["PipelineExecutionStatus"] == after
    assert re.search(reason, found["FailureReason"])
    steps = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)["PipelineExecutionSteps"]
    assert {step["StepName"]: step["StepStatus"] for step in steps} == {"Done": "Succeeded", "Half": after}
    sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    assert _describe(sagemaker, arn)["PipelineExecutionStatus"] == "Executing"


def test_an_engine_that_was_never_recorded_is_waited_for(sagemaker: Any, made: str, store: Store) -> None:
    arn = _start(sagemaker, made)
    store.update("execution", arn, _engine_pid=None)
    assert _describe(sagemaker, arn)["PipelineExecutionStatus"] == "Executing"
    store.update("execution", arn, LastModifiedTime=0.0)
    assert _describe(sagemaker, arn)["PipelineExecutionStatus"] == "Failed"


def test_an_engine_that_cannot_start_fails_the_execution(home: Home, made: str, sagemaker: Any) -> None:
    def launch(_home: Home, _arn: str) -> int:
        raise OSError("no memory")

    arn = _start(aws.session(home, launch).client("sagemaker"), made)
    assert _describe(sagemaker, arn)["FailureReason"] == "The engine cannot be started: no memory"


def test_executions_are_listed_newest_first_in_pages(sagemaker: Any, made: str, tmp_path: Path) -> None:
    arns = [_start(sagemaker, made) for _ in range(5)]
    pages = sagemaker.get_paginator("list_pipeline_executions").paginate(
        PipelineName=made, PaginationConfig={"PageSize": 2}
    )
    assert [one["PipelineExecutionArn"] for page in pages for one in page["PipelineExecutionSummaries"]] == arns[::-1]
    first = sagemaker.list_pipeline_executions(PipelineName=made, MaxResults=2)
    newer = _start(sagemaker, made)
    rest = sagemaker.list_pipeline_executions(PipelineName=made, NextToken=first["NextToken"])
    # What came in between shifts nothing: neither repeated nor left out.
    assert [one["PipelineExecutionArn"] for one in rest["PipelineExecutionSummaries"]] == arns[2::-1]
    assert newer not in {one["PipelineExecutionArn"] for one in rest["PipelineExecutionSummaries"]}


def test_steps_are_listed_in_either_order_without_our_own_members(sagemaker: Any, made: str, store: Store) -> None:
    arn = _start(sagemaker, made)
    for number, name in enumerate(("Split", "Tune", "Train")):
        body = {"StepName": name, "StepStatus": "Executing", "StartTime": 100.0 + number, "_job": "x", "_type": "y"}
        store.create("step", f"{arn}/{name}", body, arn)

    def names(**request: Any) -> list[str]:
        answer = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn, **request)
        return [step["StepName"] for step in answer["PipelineExecutionSteps"]]

    assert names() == ["Train", "Tune", "Split"]
    assert names(SortOrder="Ascending", MaxResults=2) == ["Split", "Tune"]
