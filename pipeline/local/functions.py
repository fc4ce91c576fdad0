"""Lambda functions: the real handlers in `lambda/`, each call in a process of its own, with the local AWS account.

A function `bincount-<x>` is the package `lambda/<x>/`; what it prints is appended to `<home>/functions/<function>.log`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.local.aws.account import ACCOUNT, BUCKET, REGION
from pipeline.local.context import Context, StepCall, StepResult
from pipeline.local.failures import StepError
from pipeline.local.home import Home
from pipeline.local.runner import KEPT, NOWHERE, REPOSITORY
from pipeline.local.store import Store

FOLDER = REPOSITORY / "lambda"
SECONDS = 600.0  # what a call may take: as long as the service waits for a Lambda step
MEMORY_MB = 512
_VALUE_CHARACTERS = 1024
_NAME = re.compile(r"(?:^|:)(?P<name>[A-Za-z0-9]+-(?P<package>[A-Za-z_][A-Za-z0-9_]*))$")
_TYPES: dict[str, type | tuple[type, ...]] = {"Integer": int, "Float": (int, float), "Boolean": bool}


@dataclass(frozen=True)
class Function:
    """A function: its name, as `bincount-deploy`, and the package that it is in `folder`."""

    name: str
    package: str
    folder: Path

    @property
    def arn(self) -> str:
        """The function's ARN in the local account."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.name}"


@dataclass(frozen=True)
class Answer:
    """How a call ended: the JSON that the handler returned, or Lambda's error object where it `failed`."""

    payload: bytes
    failed: bool


def find_function(name_or_arn: str, folder: Path | None = None) -> Function | None:
    """Return the function that a name or an ARN means, or None where `folder` (default `lambda/`) has none."""
    folder = folder or FOLDER
    found = _NAME.search(name_or_arn)
    if found is None or not (folder / found["package"] / "handler.py").is_file():
        return None
    return Function(found["name"], found["package"], folder)


def log_path(home: Home, name: str) -> Path:
    """Return the file that has what a function printed, its errors and their stacks."""
    return home.root / "functions" / f"{name}.log"


def call(home: Home, function: Function, event: bytes, seconds: float | None = None) -> Answer:
    """Call the handler with an event (JSON) and wait for its answer, at most `seconds` (default: SECONDS)."""
    seconds = seconds or SECONDS
    request = str(uuid.uuid4())
    log = log_path(home, function.name)
    log.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, log.open("ab") as output:
        answer, error = Path(scratch) / "answer", Path(scratch) / "error"
        command = [sys.executable, "-m", "pipeline.local.function_host", function.package, function.arn]
        try:
            done = subprocess.run(
                [*command, request, str(seconds), str(answer), str(error)],
                input=event,
                stdout=output,
                stderr=output,
                env=environment(home, function),
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            message = f"RequestId: {request} Error: Task timed out after {seconds:.2f} seconds"
            return _failed("Sandbox.Timedout", message)
        for file in (answer, error):
            if file.is_file():
                return Answer(file.read_bytes(), failed=file == error)
        reason = f"Runtime exited with error: exit status {done.returncode}"
        return _failed("Runtime.ExitError", f"RequestId: {request} Error: {reason}")


def _failed(type: str, message: str) -> Answer:
    return Answer(json.dumps({"errorMessage": message, "errorType": type}).encode(), failed=True)


def environment(home: Home, function: Function) -> dict[str, str]:
    """Return a function's whole environment: what Lambda and the template set, and nothing of the user's secrets."""
    return {
        **{name: os.environ[name] for name in KEPT if name in os.environ},
        **NOWHERE,
        **settings(home, function.package),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(MEMORY_MB),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "LAMBDA_TASK_ROOT": str(function.folder),
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONUNBUFFERED": "1",
        "BINCOUNT_HOME": str(home.root),
    }


def settings(home: Home, package: str) -> dict[str, str]:
    """Return the variables that the template sets for one function."""
    if package == "deploy":
        role = f"arn:aws:iam::{ACCOUNT}:role/bincount-model"
        return {"PROJECT": "bincount", "MODEL_ROLE_ARN": role, "CAPTURE_URI": f"s3://{BUCKET}/bincount/capture"}
    if package == "drift":
        return {"PROJECT": "bincount", "PSI_LIMIT": "0.2"}
    if package == "predict":
        endpoint = os.environ.get("ENDPOINT_NAME") or _newest_endpoint(home)
        return {"ALLOWED_BUCKETS": BUCKET} | ({"ENDPOINT_NAME": endpoint} if endpoint else {})
    return {}


def _newest_endpoint(home: Home) -> str | None:
    names = [str(document["EndpointName"]) for document in reversed(Store(home.database).find("endpoint"))]
    ending = [[name for name in names if name.endswith(stage)] for stage in ("-production", "-staging")]
    return next((name for part in ending for name in part), None)


def run(context: Context, call: StepCall) -> StepResult:
    """Call the function of a Lambda step and take its declared outputs. Raises StepError."""
    arn = str(call.body["FunctionArn"])
    context.store.update("step", call.id, StepStatus="Executing", Metadata={"Lambda": {"Arn": arn}})
    answer = invoke(context, arn, call.arguments)
    outputs = {
        o["OutputName"]: typed_output(answer, o["OutputName"], o["OutputType"]) for o in call.body["OutputParameters"]
    }
    listed = [
        {"Name": name, "Value": value if isinstance(value, str) else json.dumps(value)}
        for name, value in outputs.items()
    ]
    context.store.update("step", call.id, Metadata={"Lambda": {"Arn": arn, "OutputParameters": listed}})
    return StepResult({"OutputParameters": outputs})


def invoke(context: Context, arn: str, event: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Call the function with the event and return what it returned. Raises StepError: no such function, it failed."""
    function = find_function(arn, context.functions)
    if function is None:
        raise StepError(f"ClientError: {arn} names no function of this repository: {context.functions} has no such one")
    answer = call(context.home, function, json.dumps(event).encode(), context.function_seconds)
    document = json.loads(answer.payload)
    if answer.failed:
        message = " ".join(f"{document['errorType']}: {document['errorMessage']}".split())
        log = log_path(context.home, function.name)
        raise StepError(f"ClientError: function {function.name} failed: {message[:700]} (its log: {log})")
    return document


def typed_output(answer: Any, name: str, type: str) -> str | int | float | bool:  # noqa: ANN401
    """Take a declared output from what a handler returned. Raises StepError: missing, of another type, too long."""
    if not isinstance(answer, Mapping) or name not in answer:
        raise StepError(f"ClientError: the function returned no output {name}")
    value = answer[name]
    if type == "String":
        text = value if isinstance(value, str) else json.dumps(value)  # a nested value becomes one string
        if len(text) > _VALUE_CHARACTERS:
            raise StepError(f"ClientError: the function's output {name} has more than {_VALUE_CHARACTERS} characters")
        return text
    fits = isinstance(value, _TYPES[type]) and isinstance(value, bool) == (type == "Boolean")
    if not fits:
        raise StepError(f"ClientError: the function's output {name} is {value!r}, not of type {type}")
    number: int | float | bool = value
    return number
