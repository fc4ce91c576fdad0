"""The process in which a Lambda function's handler runs: `handler.py ARN ANSWER`, the event as JSON on stdin.

A process a call, as each function on AWS has one: its folder is the root of its imports, and what it leaves in
modules or the environment touches nobody else.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from pipeline.local import aws
from pipeline.local.home import Home


@dataclass(frozen=True)
class LambdaContext:
    """The members of Lambda's context object that do not depend on AWS."""

    invoked_function_arn: str
    function_name: str
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 512
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    deadline: float = field(default_factory=lambda: time.monotonic() + float(os.environ["FUNCTION_SECONDS"]))

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left before the call is ended."""
        return max(0, int((self.deadline - time.monotonic()) * 1000))


def main(handler: Path, arn: str, answer: Path) -> None:
    """Call the handler and write what it returns."""
    boto3.DEFAULT_SESSION = aws.session(Home.find())
    sys.path.insert(0, str(handler.parent))
    spec = importlib.util.spec_from_file_location("handler", handler)
    assert spec is not None  # noqa: S101 - a .py file always has one
    assert spec.loader is not None  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    sys.modules["handler"] = module
    spec.loader.exec_module(module)
    result: Any = module.handler(json.load(sys.stdin), LambdaContext(arn, arn.rpartition(":")[2]))
    answer.write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
