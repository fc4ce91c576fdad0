"""The demo's own DAG in a small size, for real: the command as it is typed, jobs as processes, two DDP hosts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SMALL = ["--set", "hyperparameters.image_size=48", "-p", "TuningEpochs=1", "-p", "Epochs=2"]


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

    def output(self, step: str, name: str) -> Path:
        """Return the folder of an output of the newest execution that ran the step."""
        executions = self.folder / "home" / "s3" / "bincount-local" / "bincount" / "executions"
        return max(executions.glob(f"*/{step}/{name}"), key=lambda path: path.stat().st_mtime)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    machine = Machine(tmp_path_factory.mktemp("machine"))
    drawn = machine.bincount("data", "synth", "photos", "--photos", "160", "--seed", "3")
    assert drawn.returncode == 0, drawn.stderr
    return machine


@pytest.fixture(scope="module")
def first(machine: Machine) -> subprocess.CompletedProcess[str]:
    return machine.run(minimum=0.0)


def test_the_dag_ends_with_a_registered_version(machine: Machine, first: subprocess.CompletedProcess[str]) -> None:
    assert first.returncode == 0, first.stdout + first.stderr
    versions = [line.split("\t") for line in machine.bincount("models").stdout.splitlines()]
    assert [version[:3] for version in versions] == [["1", "bincount-demo", "PendingManualApproval"]]


@pytest.mark.usefixtures("first")
def test_the_best_trial_trains_on_both_hosts(machine: Machine) -> None:
    steps = {step["name"]: step for step in machine.status()["steps"]}
    trials = steps["Tune"]["trials"]
    assert len(trials) == 2
    best = max(trials, key=lambda trial: trial["objective"])
    log = machine.bincount("logs", "Train").stdout
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


def _member(archive: Path, name: str) -> bytes:
    return subprocess.run(["tar", "-xzOf", str(archive), name], capture_output=True, check=True).stdout
