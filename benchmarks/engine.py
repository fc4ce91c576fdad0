"""What the engine and the command cost: `python -m benchmarks.engine`. Prints medians in seconds beside their targets.

A step's own cost is the time of an execution of several Processing steps, one after the other, less the time of the
same processes started bare, divided by their number.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pipeline.local.engine import run_execution
from pipeline.local.home import Home
from pipeline.local.store import Store

STEPS = 10
ROUNDS = 5
STEP_TARGET = 0.2
HELP_TARGET = 0.3
JOB = [sys.executable, "-S", "-E", "-c", "pass"]
ARN = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/benchmark/execution/"


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that the work takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def definition() -> str:
    """Return a pipeline of `STEPS` Processing steps in a row whose jobs do nothing."""
    steps = [
        {
            "Name": f"Step{number}",
            "Type": "Processing",
            "DependsOn": [f"Step{number - 1}"] if number else [],
            "Arguments": {
                "ProcessingResources": {"ClusterConfig": {"InstanceCount": 1}},
                "AppSpecification": {"ImageUri": "none", "ContainerEntrypoint": JOB},
            },
        }
        for number in range(STEPS)
    ]
    return json.dumps({"Version": "2020-12-01", "Parameters": [], "Steps": steps})


def step_cost(home: Home, round: int) -> float:
    """Return the engine's own seconds a step in one execution."""
    arn = f"{ARN}{round:012d}"
    body = {"PipelineArn": ARN.removesuffix("/execution/"), "PipelineExecutionArn": arn, "CreationTime": time.time()}
    state = {"PipelineExecutionStatus": "Executing", "_definition": definition()}
    Store(home.database).create("execution", arn, body | state, "benchmark")
    whole = timed(lambda: run_execution(home, arn))
    bare = sum(timed(lambda: subprocess.run(JOB, check=True)) for _ in range(STEPS))
    return (whole - bare) / STEPS


def main() -> None:
    """Print both figures."""
    with tempfile.TemporaryDirectory() as folder:
        costs = [step_cost(Home(Path(folder)), round) for round in range(ROUNDS)]
    command = [sys.executable, "-c", "from pipeline.cli.main import main; main()", "--help"]  # as the script does
    helps = [timed(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(ROUNDS)]
    print(f"engine's own cost a step: {statistics.median(costs):.3f} s (target at most {STEP_TARGET} s)")
    print(f"bincount --help:          {statistics.median(helps):.3f} s (target at most {HELP_TARGET} s)")


if __name__ == "__main__":
    main()
