"""With the manager as a process of its own, and the real server."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from pipeline.local import aws
from pipeline.local.endpoints.servers import lives
from pipeline.local.home import Home
from pipeline.local.processes import stop_orphans
from pipeline.local.store import Store

ROOT = Path(__file__).parents[4]
IMAGE = "000000000000.dkr.ecr.us-east-1.amazonaws.com/bincount-inference:1"

_CREATE = """
import sys
from pathlib import Path
from pipeline.local import aws
from pipeline.local.home import Home
client = aws.session(Home(Path(sys.argv[1]))).client("sagemaker")
client.create_endpoint(EndpointName="bins", EndpointConfigName="v1")
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "home")
    yield made
    stop_orphans([], made.root, 0.0)


@pytest.fixture
def sagemaker(home: Home, make_artifact: Callable[..., Path], tmp_path: Path) -> Any:
    """Return a client of an account that has the configurations v1 and v2 of a real model."""
    session: Any = aws.session(home)
    client = session.client("sagemaker")
    archive = make_artifact(archive=tmp_path / "model.tar.gz")
    session.client("s3").put_object(Bucket="bincount-local", Key="model.tar.gz", Body=archive.read_bytes())
    for version in ("v1", "v2"):
        container = {
            "Image": IMAGE,
            "ModelDataUrl": "s3://bincount-local/model.tar.gz",
            "Environment": {"MODEL_VERSION": f"bincount-demo/{version}"},
        }
        client.create_model(ModelName=version, PrimaryContainer=container)
        variant = {"VariantName": "AllTraffic", "ModelName": version, "InstanceType": "ml.m5.large"}
        client.create_endpoint_config(
            EndpointConfigName=version, ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
        )
    return client


def _until(condition: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def _settled(sagemaker: Any) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found: dict[str, Any] = sagemaker.describe_endpoint(EndpointName="bins")
        return found if found["EndpointStatus"] in {"InService", "Failed"} else None

    found: dict[str, Any] = _until(look)
    return found


@pytest.mark.slow
def test_an_endpoint_of_the_real_server_outlives_who_created_it(
    home: Home, sagemaker: Any, make_photo: Callable[..., bytes]
) -> None:
    subprocess.run([sys.executable, "-c", _CREATE, str(home.root)], cwd=ROOT, check=True)
    assert _settled(sagemaker)["EndpointStatus"] == "InService"
    session: Any = aws.session(home)
    invoke = session.client("sagemaker-runtime").invoke_endpoint
    for label in (2, 5):
        answer = invoke(EndpointName="bins", Body=make_photo(label), ContentType="image/jpeg")
        told = json.loads(answer["Body"].read())
        assert (told["predicted_label"], told["model_version"]) == (str(label), "bincount-demo/v1")
    with pytest.raises(session.client("sagemaker-runtime").exceptions.ModelError) as caught:
        invoke(EndpointName="bins", Body=b"no picture", ContentType="image/jpeg")
    assert caught.value.response["OriginalStatusCode"] == 415
    sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName="v2")
    assert _settled(sagemaker)["EndpointConfigName"] == "v2"
    store = Store(home.database)
    (server,) = (store.get("endpoint", "bins") or {})["_servers"]
    sagemaker.delete_endpoint(EndpointName="bins")
    _until(lambda: not sagemaker.list_endpoints()["Endpoints"])
    assert not lives(server)
    _until(lambda: list((home.root / "endpoints").iterdir()) == [])


@pytest.mark.slow
def test_a_manager_that_was_killed_is_replaced(home: Home, sagemaker: Any) -> None:
    store = Store(home.database)
    sagemaker.create_endpoint(EndpointName="bins", EndpointConfigName="v1")
    manager = _until(lambda: (store.get("endpoint", "bins") or {})["_manager"])
    _until(lambda: list(_servers_of(home)))
    os.kill(manager, signal.SIGKILL)
    assert _settled(sagemaker)["EndpointStatus"] == "InService"
    assert [process.pid for process in _servers_of(home)] == [
        server["pid"] for server in (store.get("endpoint", "bins") or {})["_servers"]
    ]


def _servers_of(home: Home) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.environ().get("SAGEMAKER_BASE_DIR", "").startswith(str(home.root)):
                yield process
        except psutil.Error:
            continue
