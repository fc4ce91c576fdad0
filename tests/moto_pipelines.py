"""moto's pipelines and executions with what they lack, as the service documents it.

Every update makes a version that stays, and an execution starts from the one that it names. A token counts once. An
execution is Executing, with the steps that a test puts there, until the test ends it; it can be stopped and retried.
"""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import ResourceNotFound, ValidationError
from moto.sagemaker.models import FakePipeline, sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse

ACCOUNT, REGION = "123456789012", "us-east-1"
BEGAN = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
_DONE = {"Succeeded", "Failed", "Stopped"}
_lock = threading.RLock()


def _backend() -> Any:
    return sagemaker_backends[ACCOUNT][REGION]


def execution(arn: str) -> Any:
    """Return moto's execution."""
    for pipeline in _backend().pipelines.values():
        if arn in pipeline.pipeline_executions:
            return pipeline.pipeline_executions[arn]
    raise ValidationError(f"Pipeline execution '{arn}' does not exist.")


def put_step(arn: str, name: str, status: str = "Executing", **members: Any) -> None:
    """Give an execution a step in this state; a minute lies between one step's start and the next one's."""
    steps = _steps(execution(arn))
    number = list(steps).index(name) if name in steps else len(steps)
    step = {"StepName": name, "StartTime": BEGAN + timedelta(minutes=number), "StepStatus": status, **members}
    if status in _DONE:
        step.setdefault("EndTime", step["StartTime"] + timedelta(seconds=40))
    steps[name] = step


def end(arn: str, status: str = "Succeeded", reason: str | None = None) -> None:
    """Put an execution into a state."""
    found = execution(arn)
    found.pipeline_execution_status, found.pipeline_execution_failure_reason = status, reason
    found.last_modified_time = found.creation_time + timedelta(minutes=5)


def put_trials(tuning_job: str, *trials: dict[str, Any]) -> None:
    """Give a tuning job these training jobs, as the service lists them."""
    _backend().__dict__.setdefault("trials", {})[tuning_job] = list(trials)


def _list_training_jobs_for_hyper_parameter_tuning_job(self: Any) -> ActionResult:
    known = _backend().__dict__.get("trials", {})
    return ActionResult({"TrainingJobSummaries": known.get(self._get_param("HyperParameterTuningJobName"), [])})


def _steps(found: Any) -> dict[str, dict[str, Any]]:
    steps: dict[str, dict[str, Any]] = found.__dict__.setdefault("steps", {})
    return steps


def versions(pipeline: Any) -> list[dict[str, Any]]:
    """Return what an execution of each version needs, the oldest first."""
    kept: list[dict[str, Any]] = pipeline.__dict__.setdefault("versions", [])
    return kept


def _keep(pipeline: FakePipeline) -> int:
    kept = versions(pipeline)
    text: Any = pipeline.pipeline_definition  # one that comes from S3 is parsed
    kept.append(
        {"PipelineDefinition": text if isinstance(text, str) else json.dumps(text), "RoleArn": pipeline.role_arn}
    )
    return len(kept)


def _version(pipeline: Any, number: int | None) -> dict[str, Any]:
    kept = versions(pipeline)
    if number is not None and not 1 <= number <= len(kept):
        raise ResourceNotFound(f"Version {number} of pipeline {pipeline.pipeline_name} does not exist.")
    return kept[-1 if number is None else number - 1]


def _find(response: Any) -> Any:
    name = response._get_param("PipelineName").rpartition("/")[2]
    if name not in response.sagemaker_backend.pipelines:
        raise ResourceNotFound(f"Pipeline '{name}' does not exist.")
    return response.sagemaker_backend.pipelines[name]


def _describe_pipeline(self: Any) -> ActionResult:
    pipeline, number = _find(self), self._get_param("PipelineVersionId")
    about = self.sagemaker_backend.describe_pipeline(pipeline.pipeline_name)
    return ActionResult(about | _version(pipeline, number))


def _list_pipeline_versions(self: Any) -> ActionResult:
    pipeline = _find(self)
    listed = [
        {"PipelineArn": pipeline.arn, "PipelineVersionId": number, "CreationTime": BEGAN}
        for number in range(1, len(versions(pipeline)) + 1)
    ]
    if self._get_param("SortOrder", "Descending") == "Descending":
        listed.reverse()
    return ActionResult({"PipelineVersionSummaries": listed[: self._get_param("MaxResults") or 100]})


def _update_pipeline(self: Any) -> ActionResult:
    with _lock:
        pipeline = _find(self)
        _plain["update_pipeline"](self)
        return ActionResult({"PipelineArn": pipeline.arn, "PipelineVersionId": _keep(pipeline)})


def _create_pipeline(self: Any) -> ActionResult:
    with _lock:
        made: ActionResult = _plain["create_pipeline"](self)
        _keep(_find(self))
        return made


def _start_pipeline_execution(self: Any) -> ActionResult:
    with _lock:
        pipeline, token = _find(self), self._get_param("ClientRequestToken")
        version = _version(pipeline, self._get_param("PipelineVersionId"))
        for arn, other in pipeline.pipeline_executions.items():
            if other.client_request_token == token:
                return ActionResult({"PipelineExecutionArn": arn})
        self.sagemaker_backend.start_pipeline_execution(
            pipeline.pipeline_name,
            self._get_param("PipelineExecutionDisplayName") or f"execution-{len(pipeline.pipeline_executions)}",
            self._get_param("PipelineParameters") or [],
            self._get_param("PipelineExecutionDescription"),
            self._get_param("ParallelismConfiguration"),
            token,
        )
        arn, made = list(pipeline.pipeline_executions.items())[-1]
        made.pipeline_execution_status = "Executing"
        made.pipeline_definition_for_execution = version["PipelineDefinition"]
        made.version = versions(pipeline).index(version) + 1
        return ActionResult({"PipelineExecutionArn": arn})


def _describe_pipeline_execution(self: Any) -> ActionResult:
    found = execution(self._get_param("PipelineExecutionArn"))
    about = self.sagemaker_backend.describe_pipeline_execution(found.arn)
    about |= {"FailureReason": found.pipeline_execution_failure_reason, "PipelineVersionId": found.version}
    return ActionResult({key: value for key, value in about.items() if value is not None})


def _list_pipeline_executions(self: Any) -> ActionResult:
    listed = [
        {
            "PipelineExecutionArn": arn,
            "StartTime": found.start_time,
            "PipelineExecutionStatus": found.pipeline_execution_status,
            "PipelineExecutionDisplayName": found.pipeline_execution_display_name,
            **_reason(found),
        }
        for arn, found in _find(self).pipeline_executions.items()
    ]
    listed.sort(key=lambda one: one["StartTime"], reverse=self._get_param("SortOrder", "Descending") == "Descending")
    return ActionResult({"PipelineExecutionSummaries": listed[: self._get_param("MaxResults") or 100]})


def _reason(found: Any) -> dict[str, str]:
    reason = found.pipeline_execution_failure_reason
    return {"PipelineExecutionFailureReason": reason} if reason else {}


def _list_pipeline_execution_steps(self: Any) -> ActionResult:
    listed = list(_steps(execution(self._get_param("PipelineExecutionArn"))).values())
    return ActionResult({"PipelineExecutionSteps": listed[::-1]})


def _list_pipeline_parameters_for_execution(self: Any) -> ActionResult:
    found = execution(self._get_param("PipelineExecutionArn"))
    declared = json.loads(found.pipeline_definition_for_execution).get("Parameters", [])
    values = {one["Name"]: str(one["DefaultValue"]) for one in declared if "DefaultValue" in one}
    values |= {one["Name"]: one["Value"] for one in found.pipeline_parameters}
    return ActionResult({"PipelineParameters": [{"Name": key, "Value": value} for key, value in values.items()]})


def _stop_pipeline_execution(self: Any) -> ActionResult:
    found = execution(self._get_param("PipelineExecutionArn"))
    if found.pipeline_execution_status in _DONE:
        raise ValidationError(f"Only an Executing execution can be stopped; it is {found.pipeline_execution_status}")
    found.pipeline_execution_status = "Stopping"
    return ActionResult({"PipelineExecutionArn": found.arn})


def _retry_pipeline_execution(self: Any) -> ActionResult:
    found = execution(self._get_param("PipelineExecutionArn"))
    if found.pipeline_execution_status not in {"Failed", "Stopped"}:
        raise ValidationError(f"Only a Failed or Stopped execution can be retried: {found.pipeline_execution_status}")
    found.pipeline_execution_status, found.pipeline_execution_failure_reason = "Executing", None
    return ActionResult({"PipelineExecutionArn": found.arn})


_plain = {name: getattr(SageMakerResponse, name) for name in ("create_pipeline", "update_pipeline")}


def extend_pipelines(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mend moto for the length of a test."""
    for operation in (
        _describe_pipeline,
        _list_pipeline_versions,
        _update_pipeline,
        _create_pipeline,
        _start_pipeline_execution,
        _describe_pipeline_execution,
        _list_pipeline_executions,
        _list_pipeline_execution_steps,
        _list_pipeline_parameters_for_execution,
        _stop_pipeline_execution,
        _retry_pipeline_execution,
        _list_training_jobs_for_hyper_parameter_tuning_job,
    ):
        monkeypatch.setattr(SageMakerResponse, operation.__name__.removeprefix("_"), operation, raising=False)
