from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.aws import inspection, objects
from pipeline.aws.models import Job
from pipeline.cli.gate import Comparison, comparisons
from pipeline.errors import UserError

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Make

SCORES = {"metrics": {"macro_f1": {"value": 0.62}}, "champion": {"improvement": {"value": -0.01}}}


def json_get(path: str) -> dict[str, Any]:
    return {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Scores"}, "Path": path}}


def definition(*conditions: dict[str, Any]) -> dict[str, Any]:
    file = {"PropertyFileName": "Scores", "OutputName": "out", "FilePath": "scores.json"}
    return {
        "Parameters": [{"Name": "Minimum", "Type": "Float", "DefaultValue": 0.5}],
        "Steps": [
            {"Name": "Evaluate", "Type": "Processing", "Arguments": {}, "PropertyFiles": [file]},
            {"Name": "Gate", "Type": "Condition", "Arguments": {"Conditions": list(conditions)}},
        ],
    }


def at_least(left: object, right: object, kind: str = "GreaterThanOrEqualTo") -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


@pytest.fixture
def compared(make: Make, monkeypatch: pytest.MonkeyPatch) -> Any:
    def read(_: object, uri: str) -> str:
        if uri != "s3://bucket/out/scores.json":
            raise UserError("gone")
        return json.dumps(SCORES)

    monkeypatch.setattr(inspection, "parameters", lambda *_: {"Minimum": "0.7"})
    monkeypatch.setattr(inspection, "outputs", lambda *_: {"out": "s3://bucket/out/"})
    monkeypatch.setattr(objects, "read_text", read)
    execution = make.execution(make.step("Evaluate", job=Job("processing", "job")), make.step("Gate", outcome="False"))
    return lambda *conditions: comparisons(None, execution, definition(*conditions), "Gate")  # type: ignore[arg-type]


def test_values_are_read_as_the_service_reads_them(compared: Any) -> None:
    found = compared(
        at_least(json_get("metrics.macro_f1.value"), {"Get": "Parameters.Minimum"}),
        at_least(json_get("champion.improvement.value"), -0.05, "GreaterThan"),
    )
    assert found == [
        Comparison("macro_f1", 0.62, ">=", 0.7, held=False),
        Comparison("improvement", -0.01, ">", -0.05, held=True),
    ]
    assert [str(one) for one in found] == ["macro_f1 0.62 is not >= 0.7", "improvement -0.01 > -0.05"]


@pytest.mark.parametrize(
    "condition",
    [
        {"Type": "Not", "Condition": {}},
        at_least(json_get("metrics.gone"), 1),
        at_least(json_get("metrics.macro_f1.value"), "text"),
        at_least({"Std:JsonGet": {"PropertyFile": {"Get": "Steps.Other.PropertyFiles.Scores"}, "Path": "a"}}, 1),
    ],
)
def test_what_cannot_be_compared_is_left_out(condition: dict[str, Any], compared: Any) -> None:
    assert compared(condition) == []


def test_a_parameter_or_a_key_in_brackets_has_its_name(compared: Any) -> None:
    assert [one.name for one in compared(at_least({"Get": "Parameters.Minimum"}, 0.7, "Equals"))] == ["Minimum"]
    assert [one.name for one in compared(at_least(json_get("metrics['macro_f1'].value"), 0.7, "LessThan"))] == [
        "macro_f1"
    ]
