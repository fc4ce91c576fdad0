from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.aws import inspection, objects, registry
from pipeline.aws.models import Job
from pipeline.cli.gate import Comparison
from pipeline.cli.outcome import Outcome, outcome
from pipeline.errors import UserError

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Make

SCORE = {"value": 0.6204, "confidence_interval": {"lower": 0.55, "upper": 0.69}}
FIGURES = {
    "multiclass_classification_metrics": {"macro_f1": SCORE, "accuracy": {"value": 0.64}},
    "dataset": {"item_count": 118},
    "majority_class": {"label": "3", "macro_f1": 0.07},
}
ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package/bincount-demo/3"


@pytest.fixture
def stored(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Give objects by address, which the outcome will find."""
    found = {"s3://bincount-local/e/evaluation.json": json.dumps(FIGURES), "s3://bincount-local/r/report.html": "<p>"}

    def read(_: object, uri: str) -> str:
        if uri not in found:
            raise UserError("gone")
        return found[uri]

    def keys(_: object, prefix: str) -> list[str]:
        return [uri.removeprefix("s3://bincount-local/") for uri in found if uri.startswith(prefix)]

    outputs = {"evaluation": "s3://bincount-local/e", "report": "s3://bincount-local/r/"}
    monkeypatch.setattr(inspection, "outputs", lambda *_: outputs)
    monkeypatch.setattr(objects, "read_text", read)
    monkeypatch.setattr(objects, "keys", keys)
    return found


def told(make: Make, *steps: Any, **members: Any) -> Outcome:
    evaluate = make.step("Evaluate", job=Job("processing", "job"))
    return outcome(None, make.execution(evaluate, *steps, **members), {})  # type: ignore[arg-type]


def test_success_tells_score_version_and_report(stored: Any, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    monkeypatch.setattr(registry, "version", lambda *_: SimpleNamespace(status="Approved"))
    report = Path("home/s3/bincount-local/r/report.html")
    report.parent.mkdir(parents=True)
    report.touch()
    ended = told(make, make.step("Register", made=ARN), status="Succeeded")
    assert list(ended.lines()) == [
        ("succeeded", "in 1:30"),
        ("score", "macro-F1 0.620 [0.550, 0.690], accuracy 0.640 on 118 test photos (always 3: 0.070)"),
        ("model", "version 3 of bincount-demo (Approved)"),
        ("report", str(report)),
    ]


def test_a_missed_gate_is_no_fault_to_resume(stored: Any, make: Make) -> None:
    ended = told(make, make.step("BelowGate", "Failed", kind="Fail", reason="too\nweak"), status="Failed")
    assert next(ended.lines()) == ("failed", "in 1:30: BelowGate: too weak")
    assert ended.resume == ""
    assert ended.report == "s3://bincount-local/r/report.html"  # not on this machine


@pytest.mark.parametrize("status", ["Failed", "Stopped"])
def test_what_broke_or_was_stopped_can_be_resumed(status: str, stored: Any, make: Make) -> None:
    ended = told(make, make.step("Train", status, reason="why"), status=status, reason="Step Train: why")
    assert ended.resume == "bincount resume m08kb4bksw24"
    assert "why" in ended.reason


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"multiclass_classification_metrics": {"macro_f1": 1}}'])
def test_figures_that_are_not_ours_are_left_out(text: str, stored: dict[str, str], make: Make) -> None:
    stored["s3://bincount-local/e/evaluation.json"] = text
    assert told(make, status="Succeeded").score == ""


def test_a_version_that_is_gone_is_named_by_its_arn(stored: Any, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise UserError("gone")

    monkeypatch.setattr(registry, "version", gone)
    assert told(make, make.step("Register", made=ARN), status="Succeeded").version == ARN


def test_the_gate_is_one_line() -> None:
    gate = Comparison("f1", 0.5, ">=", 0.4, held=True), Comparison("gain", 0.0, ">", 0.1, held=False)
    assert dict(Outcome("Failed", 1.0, gate=gate).lines())["gate"] == "f1 0.5 >= 0.4, gain 0 is not > 0.1"
