"""The demo's own DAG in a small size, for real: the command as it is typed, two DDP hosts, endpoints.

The tests are one story, told in the order of the file.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.local import aws
from pipeline.local.home import Home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SIZES = [
    "--set",
    "hyperparameters.image_size=48",
    "--set",
    "tune.hyperparameters.image_size=32",
    "--set",
    "train.teachers=2",
]
SMALL = [*SIZES, "-p", "TuningEpochs=1", "-p", "Epochs=2"]


@dataclass(frozen=True)
class Machine:
    """A home, drawn photos, and the command in it."""

    folder: Path

    def bincount(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pipeline.cli.main", *words],
            cwd=self.folder,
            env={
                **os.environ,
                "BINCOUNT_HOME": str(self.folder / "home"),
                "PYTHONPATH": str(Path(__file__).parents[1]),
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def run(self, minimum: float) -> subprocess.CompletedProcess[str]:
        gate = f"MinMacroF1={minimum}"
        return self.bincount("run", "--profile", "demo", "-p", "DataUri=photos", "-p", gate, *SMALL)

    def status(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self.bincount("status", "--json").stdout)
        return answer

    @property
    def home(self) -> Home:
        return Home(self.folder / "home")

    def endpoints(self) -> dict[str, tuple[str, str]]:
        """Return the status of each endpoint, and the version that it serves."""
        listed = json.loads(self.bincount("endpoints", "--json").stdout)
        return {one["stage"]: (one["status"], str(one["version"])) for one in listed}

    def output(self, step: str, name: str) -> Path:
        """Return the folder of an output of the newest execution that ran the step."""
        executions = self.folder / "home" / "s3" / "bincount-local" / "bincount" / "executions"
        return max(executions.glob(f"*/{step}/{name}"), key=lambda path: path.stat().st_mtime)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    machine = Machine(tmp_path_factory.mktemp("machine"))
    drawn = machine.bincount("data", "synth", "photos", "--photos", "160", "--seed", "3")
    assert drawn.returncode == 0, drawn.stderr
    yield machine
    machine.bincount("cleanup", "--yes")


@pytest.fixture(scope="module")
def first(machine: Machine) -> subprocess.CompletedProcess[str]:
    return machine.run(minimum=0.0)


def test_the_dag_ends_with_a_registered_version(machine: Machine, first: subprocess.CompletedProcess[str]) -> None:
    assert first.returncode == 0, first.stdout + first.stderr
    versions = [line.split("\t") for line in machine.bincount("models").stdout.splitlines()]
    assert [version[:3] for version in versions] == [["1", "bincount-demo", "PendingManualApproval"]]


@pytest.mark.usefixtures("first")
def test_the_version_says_what_it_was_trained_on_and_what_it_had_to_reach(machine: Machine) -> None:
    (version,) = json.loads(machine.bincount("models", "--json").stdout)
    spec = json.loads(_member(machine.output("train", "*/output/model.tar.gz"), "model.json"))
    assert version["metadata"]["DataHash"] == spec["provenance"]["data"]
    assert float(version["metadata"]["MinMacroF1"]) == 0.0
    about = aws.session(machine.home).client("sagemaker").describe_model_package(ModelPackageName=version["arn"])
    baseline = about["DriftCheckBaselines"]["ModelQuality"]["Statistics"]["S3Uri"]
    assert Path(baseline.replace("s3:/", str(machine.home.s3), 1)).is_file()


@pytest.mark.usefixtures("first")
def test_the_best_trial_trains_on_both_hosts(machine: Machine) -> None:
    steps = {step["name"]: step for step in machine.status()["steps"]}
    trials = steps["Tune"]["trials"]
    assert len(trials) == 2
    best = min(trials, key=lambda trial: trial["objective"])
    log = machine.bincount("logs", "Train").stdout
    assert "teachers: 2 model(s) answered" in log
    assert "rank 0 of 2" in log
    assert "rank 1 of 2" in log
    spec = json.loads(_member(machine.output("train", "*/output/model.tar.gz"), "model.json"))
    trained = json.loads(spec["provenance"]["hyperparameters"])
    assert trained["learning_rate"] == float(best["hyperparameters"]["learning_rate"])


@pytest.mark.usefixtures("first")
def test_the_evaluation_is_of_the_test_photos_and_the_report_shows_them(machine: Machine) -> None:
    split = json.loads((machine.output("split", "report") / "split.json").read_text(encoding="utf-8"))
    evaluation = json.loads((machine.output("evaluate", "evaluation") / "evaluation.json").read_text(encoding="utf-8"))
    matrix = evaluation["multiclass_classification_metrics"]["confusion_matrix"]
    tested = sum(sum(row.values()) for row in matrix.values())
    assert tested == sum(split["counts"]["test"].values())
    assert "<svg" in (machine.output("evaluate", "report") / "report.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("first")
def test_nothing_changed_means_nothing_runs_again(machine: Machine) -> None:
    assert machine.run(minimum=0.0).returncode == 0
    cached = [step["name"] for step in machine.status()["steps"] if step["cached_from"]]
    assert cached == ["Split", "Tune", "Train", "Evaluate"]


@pytest.mark.usefixtures("first")
def test_below_the_gate_nothing_is_registered(machine: Machine) -> None:
    before = machine.bincount("models").stdout.count("\n")
    failed = machine.run(minimum=0.99)
    assert failed.returncode == 1
    assert "BelowGate" in failed.stdout
    assert machine.bincount("models").stdout.count("\n") == before


@pytest.mark.usefixtures("first")
def test_staging_serves_the_newest_version_and_has_answered_as_the_evaluation_did(
    machine: Machine, first: subprocess.CompletedProcess[str]
) -> None:
    assert "bincount-demo-staging is InService, smoke test passed" in first.stdout
    assert machine.endpoints() == {"staging": ("InService", "2")}  # the run from the cache registered a second version


@pytest.mark.usefixtures("first")
def test_approval_brings_production_up(machine: Machine) -> None:
    approved = machine.bincount("models", "approve", "1", "--yes")
    assert approved.returncode == 0, approved.stderr
    assert machine.endpoints()["production"] == ("InService", "1")
    photo = next((machine.folder / "photos" / "bin-images").iterdir())
    answer = json.loads(machine.bincount("endpoint", "predict", "production", str(photo), "--json").stdout)
    assert answer[0]["model_version"] == "bincount-demo/1"
    alone = machine.bincount("predict", "--model", "1", str(photo), "--json")
    assert answer[0]["probabilities"] == pytest.approx(json.loads(alone.stdout)[0]["probabilities"], abs=1e-4)


def _cannot_start(name: str, content: bytes) -> bytes:
    return b"no graph" if name.endswith("model.onnx") else content


def _answers_wrongly(name: str, content: bytes) -> bytes:
    if not name.endswith("model.json"):
        return content
    spec = json.loads(content)
    return json.dumps(spec | {"class_labels": spec["class_labels"][::-1]}).encode()


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize(
    ("damage", "reason"), [(_cannot_start, "did not pass the ping health check"), (_answers_wrongly, "labels")]
)
def test_a_broken_version_replaces_nothing_and_the_run_says_so(
    machine: Machine, damage: Callable[[str, bytes], bytes], reason: str
) -> None:
    before = machine.endpoints()
    definition = machine.folder / f"{damage.__name__.strip('_')}.json"
    definition.write_text(json.dumps(_deployment_of_damaged(machine, damage)))
    failed = machine.bincount("run", "--profile", "demo", "--definition", definition.name)
    assert failed.returncode == 1
    assert reason in next(
        line for line in failed.stdout.splitlines() if line.startswith("staging  ") and "failed:" in line
    )
    assert machine.endpoints() == before


@pytest.mark.usefixtures("first")
def test_cleanup_leaves_no_process_and_no_record(machine: Machine) -> None:
    assert machine.bincount("cleanup", "--yes").returncode == 0
    assert machine.endpoints() == {}
    assert "nothing to remove" in machine.bincount("cleanup", "--yes").stderr
    client = aws.session(machine.home).client("sagemaker")
    assert client.list_endpoint_configs()["EndpointConfigs"] == []
    assert client.list_models()["Models"] == []
    assert not [one for one in psutil.process_iter() if _belongs(one, machine.home)]


def _belongs(process: psutil.Process, home: Home) -> bool:
    try:
        environment = process.environ()
    except (psutil.Error, OSError):
        return False
    places = (environment.get("BINCOUNT_HOME", ""), environment.get("SAGEMAKER_BASE_DIR", ""))
    return process.pid != os.getpid() and any(place.startswith(str(home.root)) for place in places)


def _deployment_of_damaged(machine: Machine, damage: Callable[[str, bytes], bytes]) -> dict[str, Any]:
    """Return a definition that registers and deploys version 1 with its artifact damaged."""
    session = aws.session(machine.home)
    group = session.client("sagemaker").list_model_packages(ModelPackageGroupName="bincount-demo")
    arn = group["ModelPackageSummaryList"][0]["ModelPackageArn"]
    about = session.client("sagemaker").describe_model_package(ModelPackageName=arn)
    container = about["InferenceSpecification"]["Containers"][0]
    bucket, _, key = container["ModelDataUrl"].removeprefix("s3://").partition("/")
    whole = session.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    damaged = f"damaged/{damage.__name__}/model.tar.gz"
    session.client("s3").put_object(Bucket=bucket, Key=damaged, Body=_rewritten(whole, damage))
    metadata = about["CustomerMetadataProperties"]
    given = {name: text for name, text in metadata.items() if not name.endswith(("Status", "Reason", "Time"))}
    register = {
        "ModelPackageGroupName": "bincount-demo",
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [{"Image": container["Image"], "ModelDataUrl": f"s3://{bucket}/{damaged}"}],
            "SupportedContentTypes": ["image/jpeg"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
        "CustomerMetadataProperties": given,
    }
    deploy = {
        "Name": "Deploy",
        "Type": "Lambda",
        "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:bincount-deploy",
        "Arguments": {"Stage": "staging", "ModelPackageArn": {"Get": "Steps.Register.ModelPackageArn"}},
        "OutputParameters": [{"OutputName": "EndpointName", "OutputType": "String"}],
    }
    steps = [{"Name": "Register", "Type": "RegisterModel", "Arguments": register}, deploy]
    return {"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": steps}


def _rewritten(archive: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    written = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(archive)) as source, tarfile.open(fileobj=written, mode="w:gz") as target:
        for member in source:
            file = source.extractfile(member)
            if file is not None:
                content = change(member.name, file.read())
                member.size = len(content)
                target.addfile(member, io.BytesIO(content))
    return written.getvalue()


def _member(archive: Path, name: str) -> bytes:
    return subprocess.run(["tar", "-xzOf", str(archive), name], capture_output=True, check=True).stdout
