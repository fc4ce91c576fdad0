"""A run that registers a version and deploys it: real processes, the real function, the verdict at the end."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.images import image_uri
from pipeline.local.s3 import LocalS3
from pipeline.settings import load_settings
from steps.common.predictor import Predictor
from tests.artifacts import artifact, photo

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called

BUCKET = "s3://bincount-local"
GROUP = "bincount-demo"


def definition() -> dict[str, Any]:
    specification = {
        "Containers": [
            {"Image": image_uri("inference", load_settings("demo")), "ModelDataUrl": f"{BUCKET}/model.tar.gz"}
        ],
        "SupportedContentTypes": ["image/jpeg"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    register = {
        "ModelPackageGroupName": GROUP,
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": specification,
        "CustomerMetadataProperties": {"SmokeTest": {"Get": "Parameters.SmokeTest"}},
    }
    deploy = {
        "Stage": "staging",
        "ModelPackageArn": {"Get": "Steps.Register.ModelPackageArn"},
        "PipelineExecutionArn": {"Get": "Execution.PipelineExecutionArn"},
    }
    return {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [{"Name": "SmokeTest", "Type": "String", "DefaultValue": f"{BUCKET}/smoke.json"}],
        "Steps": [
            {"Name": "Register", "Type": "RegisterModel", "Arguments": register},
            {
                "Name": "Deploy",
                "Type": "Lambda",
                "Arguments": deploy,
                "FunctionArn": "arn:aws:lambda:us-east-1:000000000000:function:bincount-deploy",
                "OutputParameters": [{"OutputName": "EndpointName", "OutputType": "String"}],
            },
        ],
    }


@pytest.fixture
def run(home: Path, tmp_path: Path, call: Callable[..., Called]) -> Iterator[Callable[..., Called]]:
    """Return a function that runs the definition with a smoke test, and has all endpoints removed at the end."""
    s3, model = LocalS3(home / "s3"), artifact(tmp_path / "model")
    archive = artifact(tmp_path / "again", archive=tmp_path / "model.tar.gz")
    (answer,) = Predictor(model).predict([photo(3)])
    smoke = {
        "content_type": "image/jpeg",
        "photo_base64": base64.b64encode(photo(3)).decode(),
        "predicted_label": answer.predicted_label,
        "probabilities": list(answer.probabilities),
        "class_labels": ["1", "2", "3", "4", "5"],
    }
    s3.put_bytes(f"{BUCKET}/model.tar.gz", archive.read_bytes())
    s3.put_bytes(f"{BUCKET}/smoke.json", json.dumps(smoke).encode())
    s3.put_bytes(f"{BUCKET}/other.json", json.dumps(smoke | {"predicted_label": "4"}).encode())
    file = tmp_path / "deploying.json"
    file.write_text(json.dumps(definition()))
    yield lambda *more: call("run", "--definition", file, *more)
    assert call("cleanup", "--yes").code == 0


def lines(called: Called) -> dict[str, str]:
    return {line[:10].strip(): line[11:] for line in called.lines}


@pytest.mark.slow
def test_a_run_waits_for_staging_and_says_what_came_of_it(
    run: Callable[..., Called], call: Callable[..., Called]
) -> None:
    passed = run()
    assert passed.code == 0, passed
    told = lines(passed)
    assert told["model"] == f"version 1 of {GROUP} (PendingManualApproval)"
    assert told["staging"].startswith(f"{GROUP}-staging is InService, smoke test passed (0:")
    assert told["approve"] == "bincount models approve 1"
    assert f"version 1 passed, {GROUP}-staging is InService" in passed.err

    failed = run("-p", f"SmokeTest={BUCKET}/other.json")
    assert failed.code == 1
    told = lines(failed)
    assert told["succeeded"]  # the execution did
    assert told["staging"].startswith("failed: ")
    assert told["staging"].endswith("; version 1 stays in service")
    assert "approve" not in told

    status = json.loads(call("status", "--json").out)["outcome"]
    assert (status["staging"], status["approve"]) == (told["staging"], "")
    assert call("watch").code == 1
    assert call("models", "approve", 1, "--yes").code == 0
