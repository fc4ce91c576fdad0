"""The process in which a Lambda function's handler runs, started by `pipeline.local.functions.call`.

`python -m pipeline.local.function_host PACKAGE ARN REQUEST SECONDS ANSWER ERROR`, the event as JSON on stdin. A process
a call: what a handler leaves in modules or the environment touches nobody else. `lambda/` is the root of its imports,
as in the functions' packages. The handler's answer goes to the file ANSWER, or what Lambda says of its error to ERROR;
the stack goes to the log, as on AWS.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from pipeline.local import aws
from pipeline.local.home import Home

_MOST_BYTES = 6 * 1024 * 1024 + 100  # of an answer; the 100 are the service's


@dataclass(frozen=True)
class LambdaContext:
    """The members of Lambda's context object that do not depend on AWS."""

    invoked_function_arn: str
    aws_request_id: str
    deadline: float  # on the monotonic clock
    function_name: str = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "")
    function_version: str = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
    memory_limit_in_mb: str = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "")

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before the call is ended."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


class _FunctionError(Exception):
    """An error that the runtime has a name of its own for."""

    def __init__(self, type: str, message: str) -> None:
        super().__init__(message)
        self.type = type


def answer_of(package: str, event: Any, context: LambdaContext) -> bytes:  # noqa: ANN401
    """Return the handler's answer as JSON. Raises whatever the handler raises."""
    try:
        module = importlib.import_module(f"{package}.handler")
    except ImportError as error:
        raise _FunctionError(
            "Runtime.ImportModuleError", f"Unable to import module '{package}.handler': {error}"
        ) from error
    if not hasattr(module, "handler"):
        raise _FunctionError("Runtime.HandlerNotFound", f"Handler 'handler' missing on module '{package}.handler'")
    result = module.handler(event, context)
    try:
        payload = json.dumps(result, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise _FunctionError("Runtime.MarshalError", f"Unable to marshal response: {error}") from error
    if len(payload) > _MOST_BYTES:
        limit = f"Response payload size exceeded maximum allowed payload size ({_MOST_BYTES} bytes)."
        raise _FunctionError("Function.ResponseSizeTooLarge", limit)
    return payload


def main(package: str, arn: str, request: str, seconds: float, answer: Path, error: Path) -> None:
    """Call the handler once, with the local account as boto3's default session."""
    print(f"START RequestId: {request} Version: $LATEST")
    begun = time.monotonic()
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    boto3.DEFAULT_SESSION = aws.session(Home.find())
    context = LambdaContext(arn, request, begun + seconds)
    try:
        answer.write_bytes(answer_of(package, json.load(sys.stdin), context))
    except Exception as raised:
        traceback.print_exc()
        type = raised.type if isinstance(raised, _FunctionError) else raised.__class__.__name__
        error.write_text(json.dumps({"errorMessage": str(raised), "errorType": type}), encoding="utf-8")
    print(f"END RequestId: {request} Duration: {(time.monotonic() - begun) * 1000:.0f} ms")


if __name__ == "__main__":
    _package, _arn, _request, _seconds, _answer, _error = sys.argv[1:]
    main(_package, _arn, _request, float(_seconds), Path(_answer), Path(_error))
