"""Lambda steps: the function's real handler, in a process of its own, with the local AWS account."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.local.context import Context, StepCall, StepResult
from pipeline.local.failures import StepError
from pipeline.local.runner import REPOSITORY

_VALUE_CHARACTERS = 1024
_NAME = re.compile(r"(?:^|:)[A-Za-z0-9]+-(?P<short>[A-Za-z0-9_-]+)$")
_TYPES: dict[str, type | tuple[type, ...]] = {"Integer": int, "Float": (int, float), "Boolean": bool}


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


def handler_path(functions: Path, arn: str) -> Path:
    """Find the handler of function `<project>-<x>`: `<functions>/<x>/handler.py`. Raises StepError."""
    name = _NAME.search(arn)
    path = functions / (name["short"] if name else "") / "handler.py"
    if name is None or not path.is_file():
        raise StepError(f"ClientError: {arn} names no function of this repository: there is no {path}")
    return path


def invoke(context: Context, arn: str, event: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Call the handler with the event and return what it returned. Raises StepError: an error, too long, not JSON."""
    path, name = handler_path(context.functions, arn), arn.rpartition(":")[2]
    environment = {**os.environ, "BINCOUNT_HOME": str(context.home.root), "PYTHONPATH": str(REPOSITORY)}
    with tempfile.TemporaryDirectory() as scratch:
        answer = Path(scratch) / "answer.json"
        command = [sys.executable, "-m", "pipeline.local.function_host", str(path), arn, str(answer)]
        seconds = context.function_seconds
        environment["FUNCTION_SECONDS"] = str(seconds)
        try:
            done = subprocess.run(
                command,
                input=json.dumps(event),
                env=environment,
                text=True,
                stderr=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise StepError(f"ClientError: function {name} did not return within {seconds:g} s") from None
        if done.returncode != 0:
            last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
            raise StepError(f"ClientError: function {name} failed: {last[0]}")
        return json.loads(answer.read_text(encoding="utf-8"))


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
