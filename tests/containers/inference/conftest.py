"""The server as its users see it: a process on loopback."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.artifacts import artifact

ROOT = Path(__file__).parents[3]
PATIENCE = 60.0  # seconds, for a machine that does much else


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.body)


class ServerProcess:
    """A running server."""

    def __init__(self, base: Path, **environment: str) -> None:
        self.log, self.errors = base / "log", base / "errors"
        given = {name: value for name, value in os.environ.items() if name not in ("OMP_NUM_THREADS", "MODEL_VERSION")}
        given |= {"SAGEMAKER_BASE_DIR": str(base), "SERVER_HOST": "127.0.0.1", "PYTHONPATH": str(ROOT)}
        given |= {"SAGEMAKER_BIND_TO_PORT": "0", "METRICS_PORT": "0"}
        with self.log.open("wb") as out, self.errors.open("wb") as err:
            command = [sys.executable, "-m", "containers.inference", "serve"]
            self.process = subprocess.Popen(command, env=given | environment, stdout=out, stderr=err, cwd=base)
        self.port = self.metrics_port = 0

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the log's lines of an event."""
        whole = self.log.read_text().split("\n")[:-1]
        return [line for line in map(json.loads, whole) if line["event"] == event]

    def wait_ready(self) -> ServerProcess:
        wait_for(lambda: self.lines("listening") or self.process.poll() is not None)
        self.port, self.metrics_port = (self.lines("listening")[0][name] for name in ("port", "metrics_port"))
        wait_for(lambda: self.ask("GET", "/ping").status == 200)
        return self

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None, port: int = 0
    ) -> Reply:
        """Send one request; an iterable body goes in chunks."""
        connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, names, answer.read())
        finally:
            connection.close()

    def invoke(self, body: Any, content_type: str = "application/x-image", **headers: str) -> Reply:
        return self.ask("POST", "/invocations", body, {"Content-Type": content_type, **headers})

    def metric(self, line: str) -> float:
        """Return the value of a metric, 0 where it has none yet."""
        text = self.ask("GET", "/metrics", port=self.metrics_port).body.decode()
        return next((float(row.split()[-1]) for row in text.splitlines() if row.startswith(f"{line} ")), 0.0)

    def memory(self) -> int:
        """Return the resident memory in bytes."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.process.kill()


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the model that counts by brightness."""
    return artifact(tmp_path_factory.mktemp("base") / "model")


@pytest.fixture(scope="session")
def server(model_folder: Path) -> Iterator[ServerProcess]:
    """Return a server that all tests share; when they are done it must still be the same and end well."""
    running = ServerProcess(model_folder.parent, MODEL_VERSION="bincount-demo/3").wait_ready()
    yield running
    assert running.stop() == 0
    assert running.errors.read_text() == ""


@pytest.fixture
def start_server(make_artifact: Callable[..., Path]) -> Iterator[Callable[..., ServerProcess]]:
    """Return a function that starts a server of its own, with the artifact and environment asked for."""
    started: list[ServerProcess] = []

    def start(environment: dict[str, str] | None = None, **options: Any) -> ServerProcess:
        started.append(ServerProcess(make_artifact(**options).parent, **(environment or {})))
        return started[-1]

    yield start
    for server in started:
        server.process.kill()
        server.process.wait()


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Return the function that waits for a condition."""
    return wait_for
