from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from pipeline.local.expressions import Scope

Definition = dict[str, Any]
# The documented schema (model-registry-details.html#model-card-schema, version 0.1.0), what a card of ours needs of it.
SCHEMA = json.loads((Path(__file__).parents[2] / "fixtures" / "model_card_schema.json").read_text(encoding="utf-8"))
URI = "s3://bincount-local/bincount/executions/0a1b2c3d4e5f"


def content(definition: Definition) -> Any:
    (gate,) = (step for step in definition["Steps"] if step["Name"] == "Gate")
    card = gate["Arguments"]["IfSteps"][0]["Arguments"]["ModelCard"]
    assert card["ModelCardStatus"] == "Draft"
    return card["ModelCardContent"]


def resolved(definition: Definition) -> str:
    """Return the card of an execution in which Split and Evaluate wrote below their usual places."""

    def output(step: str, name: str) -> Definition:
        return {"OutputName": name, "S3Output": {"S3Uri": f"{URI}/{step}/{name}"}}

    properties: dict[str, Definition] = {
        "Split": {"ProcessingOutputConfig": {"Outputs": [output("split", n) for n in ("train", "validation", "test")]}},
        "Train": {
            "TrainingJobArn": "arn:aws:sagemaker:us-east-1:000000000000:training-job/pipelines-0a1b2c3d4e5f-Train-x",
            "ModelArtifacts": {"S3ModelArtifacts": f"{URI}/train/x/output/model.tar.gz"},
        },
        "Evaluate": {
            "ProcessingJobArn": "arn:aws:sagemaker:us-east-1:000000000000:processing-job/pipelines-x",
            "ProcessingOutputConfig": {"Outputs": [output("evaluate", name) for name in ("evaluation", "report")]},
        },
    }
    nothing: Any = None
    text = Scope({}, {}, properties.__getitem__, nothing, nothing).resolve(content(definition))
    assert isinstance(text, str)
    return text


@pytest.mark.parametrize("profile", ["demo", "prod"])
def test_the_card_is_json_of_the_documented_schema(compiled: Callable[..., Definition], profile: str) -> None:
    text = resolved(compiled(profile))
    assert len(text) < 100_000
    Draft7Validator(SCHEMA).validate(json.loads(text))


def test_the_card_leads_to_the_figures_and_has_none(compiled: Callable[..., Definition]) -> None:
    card = json.loads(resolved(compiled()))
    (evaluation,) = card["evaluation_details"]
    assert evaluation["metadata"] == {
        "evaluation": f"{URI}/evaluate/evaluation/evaluation.json",
        "report": f"{URI}/evaluate/report/report.html",
    }
    assert "metric_groups" not in evaluation
    assert card["model_overview"]["model_artifact"] == [f"{URI}/train/x/output/model.tar.gz"]
    assert evaluation["datasets"] == [f"{URI}/split/test"]


def test_nothing_that_a_user_types_in_can_break_the_json(compiled: Callable[..., Definition]) -> None:
    join = content(compiled())["Std:Join"]
    assert join["On"] == ""
    variables = [value["Get"] for value in join["Values"] if not isinstance(value, str)]  # no Join in the Join
    assert variables
    assert all(name.startswith("Steps.") for name in variables)
