from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.cli import scoring
from pipeline.local import aws
from pipeline.local.home import Home
from tests.registered import Registry, evaluation

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called

FIGURE = {"value": 0.5, "confidence_interval": {"lower": 0.4, "upper": 0.6}}
EVALUATION = {
    "dataset": {"item_count": 20, "groups": 18, "left_out": {"count": 1}},
    "multiclass_classification_metrics": {
        "macro_f1": FIGURE,
        "accuracy": FIGURE,
        "confusion_matrix": {"1": {"1": 7, "2": 3}, "2": {"1": 4, "2": 6}},
    },
    "per_class": {label: {"precision": 0.6, "recall": 0.7, "f1": 0.65} for label in ("1", "2")},
}
PREDICTIONS = [
    {
        "file": "a.jpg",
        "predicted_label": "2",
        "confidence": 0.75,
        "ask_a_person": False,
        "probabilities": [0.25, 0.75],
        "class_labels": ["1", "2"],
    },
    {"file": "b.jpg", "error": "not a picture"},
]


@pytest.fixture
def step(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """Stand in for the step's process: answer, and keep what was asked."""
    asked: list[tuple[str, list[str]]] = []

    def answer(module: str, arguments: list[str]) -> subprocess.CompletedProcess[str]:
        model = Path(arguments[0].removeprefix("--model="))
        asked.append((module, [model.read_text(), *arguments]))
        out = json.dumps(EVALUATION) if module == "score" else "".join(f"{json.dumps(line)}\n" for line in PREDICTIONS)
        return subprocess.CompletedProcess([], 0 if module == "score" else 1, out)

    monkeypatch.setattr(scoring, "_step", answer)
    return asked


def test_evaluate_draws_a_table_or_passes_the_json_on(
    step: list[Any], call: Callable[..., Called], tmp_path: Path
) -> None:
    model = tmp_path / "model.tar.gz"
    model.write_text("mine")
    command = ["evaluate", "--model", model, "--images", "photos", "--labels", "l.csv"]
    called = call(*command)
    assert called.lines == [
        "macro-F1\t0.500\t[0.400, 0.600]",
        "accuracy\t0.500\t[0.400, 0.600]",
        "1\t0.600\t0.700\t0.650\t7\t3",
        "2\t0.600\t0.700\t0.650\t4\t6",
    ]
    assert "20 photos of 18 bins, 1 left out" in called.err
    assert json.loads(call(*command, "--json").out) == EVALUATION
    assert step[0][1][0] == "mine"
    assert step[0][1][1:] == [f"--model={model}", "--images=photos", "--labels=l.csv", "--json"]


def test_predict_shows_a_line_a_photo_and_fails_with_the_step(
    step: list[Any], call: Callable[..., Called], tmp_path: Path
) -> None:
    model = tmp_path / "model.tar.gz"
    model.write_text("mine")
    called = call("predict", "--model", model, "a.jpg", "b.jpg")
    assert called.code == 1
    assert called.lines == ["a.jpg\t2\t0.75\tno\t1: 0.25 2: 0.75", "b.jpg\t\t\t\tnot a picture"]
    assert json.loads(call("predict", "-m", model, "a.jpg", "b.jpg", "--json").out) == PREDICTIONS
    call("predict", "-m", model, "--", "-a.jpg")
    assert step[-1][1][2:] == ["--", "-a.jpg"]


def test_a_model_may_be_an_address_or_a_version(step: list[Any], home: Path, call: Callable[..., Called]) -> None:
    registry = Registry(aws.session(Home(home)), "bincount-demo")
    registry.register(evaluation(0.5, "a"))
    call("predict", "-m", "s3://bincount-models/bincount-demo/0/model.tar.gz", "a.jpg")
    call("predict", "-m", "1", "a.jpg")
    assert [asked[1][0] for asked in step] == ["weights", "weights"]
    assert "there is no version 3" in call("predict", "-m", "3", "a.jpg").err
    Registry(registry.session, "bincount-local").register(evaluation(0.5, "b"))
    several = call("predict", "-m", "1", "a.jpg").err
    assert "version 1 is in several groups: give --profile demo or --profile local" in several
    assert "there is no model nowhere.tar" in call("predict", "-m", "nowhere.tar", "a.jpg").err
    assert len(step) == 2


def test_the_steps_own_error_is_the_only_line(call: Callable[..., Called], tmp_path: Path, capfd: Any) -> None:
    (tmp_path / "model.tar.gz").write_bytes(b"no archive")
    called = call("predict", "--model", tmp_path / "model.tar.gz", tmp_path / "a.jpg")
    assert called.code == 1
    said = capfd.readouterr().err + called.err
    assert said.startswith("error: ")
    assert said.count("\n") == 1
