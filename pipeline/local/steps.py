"""One step from start to end: arguments resolved, cache asked, attempts made, everything on record."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from pipeline.local import cache
from pipeline.local.conditions import all_hold
from pipeline.local.context import Context, StepCall, StepResult
from pipeline.local.expressions import ExpressionError, Scope
from pipeline.local.failures import StepError, StepStoppedError, explain
from pipeline.local.functions import run as run_function
from pipeline.local.graph import Outcome, Step
from pipeline.local.jobs.processing import run as run_processing
from pipeline.local.jobs.training import run as run_training
from pipeline.local.registry import run as run_register
from pipeline.local.retries import Policy, next_delay
from pipeline.local.s3 import S3Error
from pipeline.local.tuning.job import run as run_tuning

_FAIL_MESSAGE = 3072


def _fail(_: Context, call: StepCall) -> StepResult:
    raise StepError(str(call.arguments.get("ErrorMessage", "")) or "the pipeline's Fail step was reached")


_EXECUTORS: dict[str, Callable[[Context, StepCall], StepResult]] = {
    "Processing": run_processing,
    "Training": run_training,
    "Tuning": run_tuning,
    "Lambda": run_function,
    "RegisterModel": run_register,
    "Fail": _fail,
}


class StepRun:
    """The run of one step inside an execution, in a thread of its own."""

    def __init__(self, context: Context, scope: Scope, pipeline: str, step: Step, width: int) -> None:
        self._context = context
        self._scope = scope
        self._pipeline = pipeline
        self._step = step
        self._width = width
        self.id = f"{context.execution_arn}/{step.name}"
        self.condition: bool | None = None  # a condition step's outcome

    def run(self) -> Outcome:
        """Run the step and record how it ended."""
        try:
            self._begin()
            self._work()
        except StepStoppedError:
            return self._end("Stopped")
        except Exception as error:
            return self._end("Failed", FailureReason=str(explain(error)))
        return self._end("Succeeded")

    def _begin(self) -> None:
        body = {
            "StepName": self._step.name,
            "StepStatus": "Starting",
            "StartTime": time.time(),
            "AttemptCount": 1,
            "Metadata": {},
            "_type": self._step.type,
            "_metrics": {},
        }
        for member in ("StepDisplayName", "StepDescription"):
            value = self._step.body.get(member.removeprefix("Step"))
            body |= {} if value is None else {member: value}
        with self._context.store.transaction() as transaction:
            transaction.delete("step", self.id)  # what an attempt before a resume left
            transaction.create("step", self.id, body, self._context.execution_arn)

    def _end(self, status: Outcome, **changes: Any) -> Outcome:  # noqa: ANN401
        self._context.store.update("step", self.id, StepStatus=status, EndTime=time.time(), **changes)
        return status

    def _work(self) -> None:
        if self._step.type == "Condition":
            self._decide()
            return
        body = {k: self._scope.resolve(v) for k, v in self._step.body.items() if k in {"Arguments", "FunctionArn"}}
        body["OutputParameters"] = self._step.body.get("OutputParameters", [])
        if self._step.type == "Fail":
            message = str(body["Arguments"].get("ErrorMessage", ""))[:_FAIL_MESSAGE]
            self._context.store.update("step", self.id, Metadata={"Fail": {"ErrorMessage": message}})
        key = cache.cache_key(self._step.type, body["Arguments"])
        if key is not None and self._reused(key):
            return
        result = self._attempts(body)
        self._context.store.update(
            "step",
            self.id,
            _properties=result.properties,
            _cache_key=key,
            _artifacts=cache.artifact_prints(self._context.s3, result.artifacts),
        )

    def _decide(self) -> None:
        self.condition = all_hold(self._step.arguments["Conditions"], self._scope.resolve)
        outcome = "True" if self.condition else "False"
        self._context.store.update(
            "step", self.id, Metadata={"Condition": {"Outcome": outcome}}, _properties={"Outcome": outcome}
        )

    def _reused(self, key: str) -> bool:
        config = self._step.body.get("CacheConfig", {})
        if not config.get("Enabled"):
            return False
        context, age = self._context, cache.expire_seconds(config)
        found = cache.find(
            context.store, context.s3, self._pipeline, self._step.name, key, age, contained=bool(context.containers)
        )
        if found is None:
            return False
        arn, source = found
        kept = {name: source.get(name) for name in ("Metadata", "_properties", "_metrics", "_job", "_artifacts")}
        hit = {"SourcePipelineExecutionArn": arn}
        context.store.update("step", self.id, CacheHitResult=hit, _cache_key=key, **kept)
        return True

    def _attempts(self, body: dict[str, Any]) -> StepResult:
        policies = [Policy.parse(policy) for policy in self._step.body.get("RetryPolicies", [])]
        begun, attempt = time.monotonic(), 1
        while True:
            call = StepCall(self.id, self._step.name, body, attempt, self._width)
            try:
                return _EXECUTORS[self._step.type](self._context, call)
            except StepStoppedError:
                raise
            except Exception as error:
                failure = explain(error)
                delay = next_delay(policies, failure.type, time.monotonic() - begun)
                if delay is None:
                    raise failure from error
            if self._context.stop.wait(delay):
                raise StepStoppedError
            attempt += 1
            self._context.store.update("step", self.id, AttemptCount=attempt, StepStatus="Starting")


def property_file(context: Context, bodies: Mapping[str, Mapping[str, Any]], step: str, name: str) -> Any:  # noqa: ANN401
    """Read a property file from the output of the step that wrote it. Raises ExpressionError."""
    files = bodies.get(step, {}).get("PropertyFiles", [])
    file = next((file for file in files if file["PropertyFileName"] == name), None)
    if file is None:
        raise ExpressionError(f"step {step} declares no property file {name}")
    document = context.store.get("step", f"{context.execution_arn}/{step}") or {}
    outputs = document.get("_properties", {}).get("ProcessingOutputConfig", {}).get("Outputs", [])
    for output in outputs:
        if output["OutputName"] == file["OutputName"]:
            return json_object(context, f"{output['S3Output']['S3Uri'].rstrip('/')}/{file['FilePath']}")
    raise ExpressionError(f"step {step} has no output {file['OutputName']} for the property file {name}")


def json_object(context: Context, uri: str) -> Any:  # noqa: ANN401
    """Read a JSON object of the local S3. Raises ExpressionError."""
    try:
        return json.loads(context.s3.read_bytes(uri))
    except S3Error as error:
        raise ExpressionError(str(error)) from None
    except ValueError as error:
        raise ExpressionError(f"{uri} is not JSON: {error}") from None
