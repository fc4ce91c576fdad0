"""Endpoints whose servers are the stand-in, and whose managers are threads of the test."""

from __future__ import annotations

import io
import os
import tarfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psutil
import pytest
from botocore.exceptions import ClientError

from pipeline.local import aws
from pipeline.local.aws import bus
from pipeline.local.aws.account import Account
from pipeline.local.endpoints import deployment, launch, servers
from pipeline.local.endpoints.lock import Hold
from pipeline.local.endpoints.manager import manage
from pipeline.local.home import Home
from pipeline.local.processes import stop_orphans
from pipeline.local.runner import Launch, ProcessRunner
from pipeline.local.store import Store

STAND_IN = Path(__file__).with_name("stand_in.py")
BUCKET = "bincount-local"


class StandInRunner(ProcessRunner):
    """Runs the stand-in, whatever the image."""

    def start(self, launch: Launch) -> Any:
        return super().start(replace(launch, entrypoint=("python3", "-S", "-E", str(STAND_IN))))


@dataclass
class Hosting:
    """A local account with endpoints, and what tests do with them."""

    home: Home
    store: Store
    sagemaker: Any
    runtime: Any
    s3: Any
    cloudwatch: Any
    account: Account
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    managers: list[threading.Thread] = field(default_factory=list)

    def config(self, version: str, instances: int = 1, mode: str = "good", **more: Any) -> str:
        """Make a model and a configuration of this name."""
        environment = {"MODE": mode, "MODEL_VERSION": version}
        container = {"Image": "x/image:1", "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz", "Environment": environment}
        self.sagemaker.create_model(ModelName=version, PrimaryContainer=container)
        variant = {
            "VariantName": "AllTraffic",
            "ModelName": version,
            "InitialInstanceCount": instances,
            "InstanceType": "ml.m5.large",
            **more.pop("variant", {}),
        }
        self.sagemaker.create_endpoint_config(EndpointConfigName=version, ProductionVariants=[variant], **more)
        return version

    def create(self, config: str, name: str = "bins", **more: Any) -> dict[str, Any]:
        """Create an endpoint and wait until it is settled."""
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config, **more)
        return self.settled(name)

    def update(self, config: str, name: str = "bins", **more: Any) -> dict[str, Any]:
        """Update an endpoint and wait until it is settled."""
        self.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, **more)
        return self.settled(name)

    def settled(self, name: str = "bins") -> dict[str, Any]:
        """Wait until the endpoint is in no transition, and its managers have ended; return its description."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            found: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
            if found["EndpointStatus"] in {"InService", "Failed"}:
                self.join()
                return found
            time.sleep(0.02)
        raise AssertionError(found)

    def join(self) -> None:
        for manager in self.managers:
            manager.join(30)

    def delete(self, name: str = "bins") -> None:
        """Delete an endpoint and wait until it is gone."""
        self.sagemaker.delete_endpoint(EndpointName=name)
        deadline = time.monotonic() + 40
        while time.monotonic() < deadline and self.store.get("endpoint", name) is not None:
            time.sleep(0.02)
        self.join()
        with pytest.raises(ClientError, match="Could not find endpoint"):
            self.sagemaker.describe_endpoint(EndpointName=name)

    def invoke(self, name: str = "bins", body: bytes = b"photo", **more: Any) -> dict[str, Any]:
        return dict(self.runtime.invoke_endpoint(EndpointName=name, Body=body, **more))

    def document(self, name: str = "bins") -> dict[str, Any]:
        """Return the endpoint's record."""
        return self.store.get("endpoint", name) or {}

    def statuses(self) -> list[str]:
        """Return the statuses that events told, in order."""
        return [detail["EndpointStatus"] for kind, detail in self.events if kind == "SageMaker Endpoint State Change"]

    def processes(self) -> list[psutil.Process]:
        """Return the server processes of this account."""
        found = []
        for process in psutil.process_iter():
            try:
                base = process.environ().get("SAGEMAKER_BASE_DIR", "")
                if base.startswith(str(self.home.root)) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found


def model_archive(names: tuple[str, ...] = ("model.onnx", "model.json")) -> bytes:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w:gz") as tar:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 3
            tar.addfile(info, io.BytesIO(b"abc"))
    return raw.getvalue()


@pytest.fixture
def hosting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosting]:
    home = Home(tmp_path / "home")
    session: Any = aws.session(home, lambda _home, _arn: 1)
    store = Store(home.database)
    account = Account(home, store, lambda _home, _arn: 1)
    clients = (
        session.client("sagemaker"),
        session.client("sagemaker-runtime"),
        session.client("s3"),
        session.client("cloudwatch"),
    )
    made = Hosting(home, store, *clients, account)
    made.s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=model_archive())

    def start(home: Home, endpoint: str, hold: Hold) -> None:
        # As for a process: the hold lives on in a file of its own.
        own = Hold(os.dup(hold.file))
        thread = threading.Thread(target=manage, args=(account, StandInRunner(), endpoint, own), daemon=True)
        thread.start()
        made.managers.append(thread)

    def emit(
        _account: Account, kind: str, detail: dict[str, Any], resources: Any = (), source: str = "aws.sagemaker"
    ) -> None:
        if source == "aws.sagemaker":  # not of the alarms, which tell their changes too
            made.events.append((kind, detail))

    monkeypatch.setattr(launch, "start_manager", start)
    monkeypatch.setattr(bus, "emit", emit)
    monkeypatch.setattr(deployment, "WATCH_SECONDS", 0.02)
    monkeypatch.setattr(deployment, "DRAIN_SECONDS", 0.0)
    monkeypatch.setattr(servers, "STOP_SECONDS", 1.0)
    monkeypatch.setattr(servers, "_TICK", 0.02)
    yield made
    made.join()
    stop_orphans([], home.root, 0.0)
