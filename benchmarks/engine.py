"""What the engine and the command cost, medians.

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
from pathlib import Path

from benchmarks.figures import Figure, at_most, seconds, show
from pipeline.local.engine import run_execution
from pipeline.local.home import Home
from pipeline.local.store import Store

STEPS = 10
ROUNDS = 5
STEP_TARGET = 0.2
HELP_TARGET = 0.3
JOB = [sys.executable, "-S", "-E", "-c", "pass"]
ARN = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/benchmark/execution/"


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
    whole = seconds(lambda: run_execution(home, arn))
    bare = sum(seconds(lambda: subprocess.run(JOB, check=True)) for _ in range(STEPS))
    return (whole - bare) / STEPS


def measure() -> list[Figure]:
    """Return the cost of a step and of the command."""
    with tempfile.TemporaryDirectory() as folder:
        costs = [step_cost(Home(Path(folder)), round) for round in range(ROUNDS)]
    command = [sys.executable, "-c", "from pipeline.cli.main import main; main()", "--help"]  # as the script does
    helps = [seconds(lambda: subprocess.run(command, check=True, capture_output=True)) for _ in range(ROUNDS)]
    return [
        at_most(
            "the engine's own cost a step, beyond the job's process", statistics.median(costs), "s", bar=STEP_TARGET
        ),
        at_most("`bincount --help`", statistics.median(helps), "s", bar=HELP_TARGET),
    ]


if __name__ == "__main__":
    show(measure())
