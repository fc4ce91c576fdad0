"""An account in a temporary folder, and executions in it that need no API."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.local import functions
from pipeline.local.engine import run_execution
from pipeline.local.functions import log_path
from pipeline.local.home import Home
from pipeline.local.s3 import LocalS3
from pipeline.local.store import Document, Store

PYTHON = ["python3", "-S", "-E", "-c"]
DEFINITIONS = Path(__file__).parents[2] / "fixtures" / "definitions"


@dataclass
class Account:
    """A local account and what tests do with it."""

    home: Home
    store: Store
    s3: LocalS3
    _count: int = field(default=0)

    def start(
        self, definition: Mapping[str, Any] | str, parameters: Mapping[str, str] | None = None, **more: Any
    ) -> str:
        """Record an execution as StartPipelineExecution does, and return its ARN."""
        self._count += 1
        pipeline = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/demo"
        arn = f"{pipeline}/execution/{self._count:012d}"
        body = {
            "PipelineArn": pipeline,
            "PipelineExecutionArn": arn,
            "PipelineExecutionStatus": "Executing",
            "CreationTime": 1.7e9 + self._count,
            "LastModifiedTime": 1.7e9,
            "_parameters": dict(parameters or {}),
            "_definition": definition if isinstance(definition, str) else json.dumps(definition),
            "_engine_pid": None,
            **more,
        }
        self.store.create("execution", arn, body, "demo")
        return arn

    def run(
        self, definition: Mapping[str, Any] | str, parameters: Mapping[str, str] | None = None, **changes: Any
    ) -> str:
        """Start an execution and run it here to its end; return its ARN."""
        arn = self.start(definition, parameters)
        run_execution(self.home, arn, **changes)
        return arn

    def execution(self, arn: str) -> Document:
        """Return the execution's document."""
        return self.store.get("execution", arn) or {}

    def steps(self, arn: str) -> dict[str, Document]:
        """Return the documents of the steps that started, by name."""
        return {step["StepName"]: step for step in self.store.find("step", arn)}

    def statuses(self, arn: str) -> dict[str, str]:
        """Return the steps' statuses by name."""
        return {name: step["StepStatus"] for name, step in self.steps(arn).items()}


@pytest.fixture
def account(tmp_path: Path) -> Account:
    home = Home(tmp_path / "home")
    return Account(home, Store(home.database), LocalS3(home.s3))


@pytest.fixture
def churn() -> str:
    return (DEFINITIONS / "churn.json").read_text(encoding="utf-8")


class Build:
    """Steps and definitions whose jobs are small Python programs."""

    @staticmethod
    def processing(name: str, program: str, *arguments: Any, **members: Any) -> dict[str, Any]:
        """Return a Processing step that runs a Python program; `instances`, `inputs`, `outputs`, members."""
        instances = members.pop("instances", 1)
        inputs = members.pop("inputs", {})
        outputs = members.pop("outputs", {})
        request: dict[str, Any] = {
            "ProcessingResources": {"ClusterConfig": {"InstanceCount": instances, "InstanceType": "ml.m5.large"}},
            "AppSpecification": {
                "ImageUri": "other/image:1",
                "ContainerEntrypoint": [*PYTHON, program],
                "ContainerArguments": list(arguments),
            },
            "Environment": members.pop("environment", {}),
            "ProcessingInputs": [
                {"InputName": key, "S3Input": {"LocalPath": f"/opt/ml/processing/{key}", **source}}
                for key, source in inputs.items()
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {"OutputName": key, "S3Output": {"LocalPath": f"/opt/ml/processing/{key}", "S3Uri": uri}}
                    for key, uri in outputs.items()
                ]
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": members.pop("seconds", 60)},
            "RoleArn": "arn:aws:iam::000000000000:role/job",
        }
        return {"Name": name, "Type": "Processing", "Arguments": request, **members}

    @staticmethod
    def training(name: str, program: str, **members: Any) -> dict[str, Any]:
        """Return a Training step that runs a Python program; keywords are members of its arguments or of the step."""
        own: dict[str, Any] = {k: members.pop(k) for k in ("CacheConfig", "RetryPolicies", "DependsOn") if k in members}
        algorithm = {
            "TrainingImage": "other/image:1",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": [*PYTHON, program],
            "MetricDefinitions": members.pop("metrics", []),
        }
        request = {
            "AlgorithmSpecification": algorithm,
            "OutputDataConfig": {"S3OutputPath": "s3://bucket/models"},
            "ResourceConfig": {"InstanceCount": members.pop("instances", 1), "InstanceType": "ml.m5.large"},
            "StoppingCondition": {"MaxRuntimeInSeconds": members.pop("seconds", 60)},
            "RoleArn": "arn:aws:iam::000000000000:role/job",
            **members,
        }
        return {"Name": name, "Type": "Training", "Arguments": request, **own}

    @staticmethod
    def pipeline(*steps: Mapping[str, Any], parameters: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        """Return a definition of these steps."""
        return {"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters or [], "Steps": list(steps)}

    @staticmethod
    def tuning(name: str, program: str, config: Mapping[str, Any], **members: Any) -> dict[str, Any]:
        """Return a Tuning step that maximises `score=` over a Python program; `config` adds to or replaces members."""
        step = Build.training(name, program, metrics=[{"Name": "score", "Regex": "score=([0-9.]+)"}], **members)
        goal = {"Type": "Maximize", "MetricName": "score"}
        limits = {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 1}
        job = {"Strategy": "Random", "HyperParameterTuningJobObjective": goal, "ResourceLimits": limits, **config}
        request = {"HyperParameterTuningJobConfig": job, "TrainingJobDefinition": step["Arguments"]}
        return {**step, "Type": "Tuning", "Arguments": request}


@pytest.fixture
def build() -> Build:
    return Build()


class Toy:
    """The functions of a folder of their own in place of those of `lambda/`, and what they were called with."""

    def __init__(self, folder: Path, home: Home) -> None:
        self.folder, self._home, self._store = folder, home, Store(home.database)

    def write(self, body: str, name: str = "deploy") -> None:
        """Make a function: it notes its event, then runs `body`."""
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / name / "__init__.py").touch()
        (self.folder / name / "handler.py").write_text(
            "import json, os\ndef handler(event, context):\n"
            "    with open(os.environ['BINCOUNT_HOME'] + '/events.jsonl', 'a') as file:\n"
            "        print(json.dumps(event), file=file)\n"
            f"    {body}\n"
        )

    def log(self, name: str = "bincount-deploy") -> str:
        """Return the function's log."""
        return log_path(self._home, name).read_text(encoding="utf-8")

    def events(self) -> list[Any]:
        """Return the events so far, once nothing is on its way any more."""
        deadline = time.monotonic() + 60
        while self._store.find("delivery") or self.busy():
            assert time.monotonic() < deadline, "events are still on their way"
            time.sleep(0.02)
        file = self._home.root / "events.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def busy(self) -> bool:
        """Say whether a worker is there."""
        for path in (self._home.root / "functions").glob("*.lock"):
            with path.open() as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return True
        return False


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    """Return the functions of a test, `bincount-deploy` among them, of the account in `<tmp_path>/home`; no rules."""
    made = Toy(tmp_path / "lambda", Home(tmp_path / "home"))
    made.write("return {'seen': event}")
    monkeypatch.setattr(functions, "FOLDER", made.folder)
    yield made
    made.events()  # a worker must not outlive its test
