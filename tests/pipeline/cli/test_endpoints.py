"""Endpoints from the command line, on this machine: the deploy function, managers and servers are the real ones."""

from __future__ import annotations

import base64
import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from pipeline.aws import deployment, functions
from pipeline.local import aws
from pipeline.local.home import Home
from pipeline.local.processes import stop_orphans
from pipeline.local.store import Store
from pipeline.settings import load_settings
from steps.common.predictor import Predictor
from tests.artifacts import artifact, photo

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called

GROUP, BUCKET = "bincount-demo", "bincount-local"
Call = Callable[..., "Called"]


@pytest.fixture
def account(home: Path, tmp_path: Path) -> Iterator[Any]:
    """Return a session of an account with two versions, 2 being a copy of 1, that were not deployed yet."""
    session: Any = aws.session(Home(home), lambda *_: 1)
    sagemaker, s3 = session.client("sagemaker"), session.client("s3")
    archive = tmp_path / "model.tar.gz"
    folder = tmp_path / "model"
    artifact(folder, archive=archive)
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive.read_bytes())
    (answer,) = Predictor(folder).predict([photo(3)])
    smoke = {
        "content_type": "image/jpeg",
        "photo_base64": base64.b64encode(photo(3)).decode(),
        "predicted_label": answer.predicted_label,
        "probabilities": list(answer.probabilities),
        "class_labels": ["1", "2", "3", "4", "5"],
    }
    s3.put_object(Bucket=BUCKET, Key="smoke.json", Body=json.dumps(smoke).encode())
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    container = {"Image": image(), "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    for _ in range(2):
        sagemaker.create_model_package(
            ModelPackageGroupName=GROUP,
            InferenceSpecification={"Containers": [container], "SupportedContentTypes": ["image/jpeg"]},
            CustomerMetadataProperties={"SmokeTest": f"s3://{BUCKET}/smoke.json", "BakeSeconds": "0"},
        )
    yield session
    stop_orphans([], home / "endpoints", 0.0)


def image() -> str:
    from pipeline.images import image_uri

    return image_uri("inference", load_settings("demo"))


def deploy(session: Any, version: int) -> None:
    """Deploy a version to staging, as the pipeline's step does, and wait until it has passed."""
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:model-package/{GROUP}/{version}"
    event = {"Stage": "staging", "ModelPackageArn": arn, "PipelineExecutionArn": "arn:aws:x"}
    functions.call(session, functions.DEPLOY, event)
    *_, last = deployment.wait_for(session, arn, "staging", every=0.1, timeout=60)
    assert last.passed, last


def processes(home: Path) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            serves = environment.get("SAGEMAKER_BASE_DIR", "").startswith(str(home / "endpoints"))
            # This process has the home in its environment too, but not since its start.
            if serves or environment.get("BINCOUNT_HOME") == str(home):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.mark.slow
def test_the_life_of_endpoints(account: Any, home: Path, tmp_path: Path, call: Call) -> None:
    for version in (1, 2):
        deploy(account, version)
    _listed(call)
    _predicted(call, tmp_path)
    _rolled_back(call)
    _in_production(call)
    _cleaned_up(call, home)


def _listed(call: Call) -> None:
    (row,) = (line.split("\t") for line in call("endpoints", "--profile", "demo").lines)
    assert row[:6] == ["bincount-demo-staging", "staging", "InService", "2", "1", "Passed"]
    (found,) = json.loads(call("endpoints", "--json").out)
    assert (found["version"], found["addresses"]) == (2, [row[7]])
    with urllib.request.urlopen(f"{row[7]}/ping", timeout=5) as answer:  # noqa: S310 - loopback
        assert answer.status == 200
    assert call("endpoints", "--profile", "local").lines == []


def _predicted(call: Call, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.jpg", tmp_path / "bad.jpg"
    good.write_bytes(photo(4))
    bad.write_bytes(b"no picture at all")
    asked = call("endpoint", "predict", "staging", good)
    assert asked.code == 0
    cells = asked.out.rstrip("\n").split("\t")
    assert (cells[1], cells[3], cells[5]) == ("4", "yes", "bincount-demo/2")  # the artifact shows no sureness
    asked = call("endpoint", "predict", "bincount-demo-staging", bad, good, "--json")
    refused, answered = json.loads(asked.out)
    assert (asked.code, answered["predicted_label"], refused["file"]) == (1, "4", str(bad))
    assert refused["error"].endswith("(415)")
    assert asked.err == ""
    assert "no endpoint 'stagin' (did you mean staging" in call("endpoint", "predict", "stagin", good).err
    asked = call("endpoint", "predict", "staging", tmp_path / "none.jpg", good, "--json")
    missing, answered = json.loads(asked.out)
    assert (asked.code, answered["predicted_label"]) == (1, "4")
    assert missing == {"file": str(tmp_path / "none.jpg"), "error": "No such file or directory"}


def _rolled_back(call: Call) -> None:
    asked = call("endpoint", "rollback", "staging")
    assert asked.code == 1
    assert "bincount-demo-staging: from version 2, which is marked as rolled back, to version 1" in asked.err
    assert "nothing is changed" in asked.err
    done = call("endpoint", "rollback", "staging", "--yes", "--note", "miscounts")
    assert (done.code, done.out.split()[:3]) == (0, ["staging", "version", "1:"]), done
    assert call("endpoints").lines[0].split("\t")[3] == "1"
    again = call("endpoint", "rollback", "staging", "--yes")
    assert again.code == 1
    assert "serves version 1, and there is no other version that passed staging" in again.err
    assert call("endpoint", "reconcile", "staging").lines == [
        "bincount-demo-staging: all is as it should be; InService with version 1",
        "bincount-demo-production: nothing to do; there is no endpoint; no version may be deployed",
    ]


def _in_production(call: Call) -> None:
    approved = call("models", "approve", 1, "--yes")
    assert approved.code == 0, approved
    assert [line.split("\t")[0] for line in call("endpoints").lines] == [f"{GROUP}-production", f"{GROUP}-staging"]


def _cleaned_up(call: Call, home: Path) -> None:
    planned = call("cleanup", "--dry-run")
    assert planned.code == 0
    assert [line.split("\t")[1] for line in planned.lines].count("endpoint") == 2
    assert "the registry, executions and data stay" in planned.err
    asked = call("cleanup")
    assert (asked.code, asked.out) == (1, planned.out)
    assert "--yes goes on without asking" in asked.err
    done = call("cleanup", "--yes")
    assert done.code == 0, done
    assert processes(home) == []
    assert not (home / "endpoints").exists() or list((home / "endpoints").iterdir()) == []
    store = Store(home / "state.db")
    kinds = ("endpoint", "endpoint-config", "model", "alarm", "scalable-target", "scaling-policy", "delivery", "tags")
    assert {kind: store.find(kind) for kind in kinds} == {kind: [] for kind in kinds}
    assert call("endpoints").lines == []
    again = call("cleanup", "--yes")
    assert (again.code, again.out) == (0, "")
    assert "nothing to remove" in again.err
    assert [line.split("\t")[0] for line in call("models").lines][-1] == "1 *"


def test_no_endpoint_is_no_error(home: Path, call: Call) -> None:
    assert (called := call("endpoints")).code == 0
    assert called.out == ""
    assert json.loads(call("endpoints", "--json").out) == []
    assert "there is none at all yet" in call("endpoint", "predict", "staging", "x.jpg").err
    assert "no version yet" in call("endpoint", "reconcile").err
    assert "no version yet" in call("endpoint", "reconcile", "--profile", "demo").err
    assert "no endpoint 'x' and no group" in call("endpoint", "reconcile", "x").err
