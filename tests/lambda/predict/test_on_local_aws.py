"""The function in its own process, called by the command line, against a real server of a small model."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from pipeline.cli.main import main
from pipeline.local import aws
from pipeline.local.home import Home

EVENTS = Path(__file__).parents[2] / "events" / "predict"
BUCKET, NAME = "bincount-local", "bincount-demo-staging"
pytestmark = pytest.mark.slow


def invoke(event: Path) -> tuple[int, dict[str, Any]]:
    """Return the command's exit code and the answer, without what HTTP puts around it."""
    out, code = io.StringIO(), 0
    with contextlib.redirect_stdout(out):
        try:
            main(["invoke", str(event)])
        except SystemExit as exit_:
            code = int(exit_.code or 0)
    answer: dict[str, Any] = json.loads(out.getvalue())
    return code, json.loads(answer["body"]) if "body" in answer else answer


def gone(sagemaker: Any) -> bool:
    return not sagemaker.list_endpoints()["Endpoints"]


def wait(until: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not until():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    monkeypatch.setenv("BINCOUNT_HOME", str(tmp_path / "home"))
    return aws.session(Home(tmp_path / "home"))


@pytest.fixture
def served(session: boto3.Session, make_artifact: Callable[..., Path], tmp_path: Path) -> Iterator[None]:
    """Serve a model at the staging endpoint."""
    sagemaker: Any = session.client("sagemaker")
    archive = make_artifact(archive=tmp_path / "model.tar.gz")
    session.client("s3").put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive.read_bytes())
    container = {
        "Image": "bincount-inference:local",
        "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz",
        "Environment": {"MODEL_VERSION": "bincount-demo/1"},
    }
    sagemaker.create_model(ModelName="m", PrimaryContainer=container)
    variant = {"VariantName": "AllTraffic", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName="c")
    try:
        wait(lambda: sagemaker.describe_endpoint(EndpointName=NAME)["EndpointStatus"] != "Creating")
        yield
    finally:
        sagemaker.delete_endpoint(EndpointName=NAME)
        wait(lambda: gone(sagemaker))


def test_every_event_that_needs_no_internet_gets_the_models_answer(
    served: None, session: boto3.Session, photo: bytes, make_photo: Callable[..., bytes], tmp_path: Path
) -> None:
    session.client("s3").put_object(Bucket=BUCKET, Key="bincount/events/photo.jpg", Body=photo)
    answers = {}
    for event in EVENTS.glob("*.json"):
        if event.name in {"direct-image-url.json", "rest-v1-json.json", "function-url-json-base64.json"}:
            continue
        code, answer = invoke(event)
        assert (code, answer["endpoint"], answer["result"]["model_version"]) == (0, NAME, "bincount-demo/1")
        answers[event.stem] = answer["result"]["predicted_label"]
    assert len(answers) == 9
    assert len(set(answers.values())) == 1

    for label in (1, 5):
        (tmp_path / "e.json").write_text(json.dumps({"image_base64": base64.b64encode(make_photo(label)).decode()}))
        assert invoke(tmp_path / "e.json")[1]["result"]["predicted_label"] == str(label)

    for data, status in ((photo[:1500], 400), (b"BM" + b"a" * 100, 400), (b"plain text", 415), (b"", 400)):
        (tmp_path / "e.json").write_text(json.dumps({"image_base64": base64.b64encode(data).decode()}))
        code, answer = invoke(tmp_path / "e.json")
        assert (code, answer["statusCode"]) == (1, status), answer
