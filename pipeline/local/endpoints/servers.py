"""Server processes: started on free ports, watched until they answer, known again, stopped."""

from __future__ import annotations

import http.client
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psutil

from pipeline.local.containers.sweeping import sweep
from pipeline.local.endpoints.archive import unpack
from pipeline.local.endpoints.places import fleet_folder
from pipeline.local.endpoints.plan import DeploymentError, Plan
from pipeline.local.failures import StepError
from pipeline.local.home import Home
from pipeline.local.processes import signal_group, started, stop_orphans
from pipeline.local.runner import Launch, Runner
from pipeline.local.s3 import LocalS3, S3Error
from pipeline.local.slots import cores

LOOPBACK = "127.0.0.1"
STOP_SECONDS = 30.0  # between SIGTERM and SIGKILL, as the service gives
_RESTARTS = 2
_PING_SECONDS = 2.0  # within which /ping must answer
_TICK = 0.1
_TAIL_BYTES = 4096
_NOT_OURS = "it is not one of this repository's"

Server = dict[str, Any]


class _Starting:
    """A server from its start until it answers /ping; one that ends before is started again, at most twice."""

    def __init__(self, runner: Runner, plan: Plan, folder: Path, number: int) -> None:
        self._runner, self._plan, self._folder, self._number = runner, plan, folder, number
        self._log = folder / f"{number}.log"
        self._log.touch()
        self._log_start = self._log.stat().st_size
        self._restarts = _RESTARTS
        self._start()

    def _start(self) -> None:
        # A port may be taken between now and the server's bind: it ends then, and is started again on another.
        self._port, self._metrics_port = _free_ports(2)
        environment = {
            **self._plan.environment,
            "SAGEMAKER_BIND_TO_PORT": str(self._port),
            "SERVER_HOST": LOOPBACK,
            "METRICS_PORT": str(self._metrics_port),
        }
        threads = max(1, cores() // self._plan.instances)
        name = f"{self._plan.variant}-{self._number}"
        image, log = self._plan.image, self._log
        self._launch = Launch(name, self._folder, image, None, ("serve",), environment, threads, log, serves=True)
        try:
            self._process = self._runner.start(self._launch)
        except StepError as error:
            reason = str(error).removeprefix("ClientError: ") if self._plan.containers else _NOT_OURS
            raise DeploymentError(f"image {image} cannot be run here: {reason}") from None

    def ready(self) -> bool:
        """Say whether the server answers. Raises DeploymentError where it ended once too often."""
        code = self._process.poll()
        if code is not None:
            if not self._restarts:
                raise DeploymentError(self.unready(f"the server ended with exit code {code}"))
            self._restarts -= 1
            self._start()
            return False
        if not _pings(self._port):
            return False
        return self._runner.listens(self._process, self._launch, self._port) and self._process.poll() is None

    def unready(self, why: str) -> str:
        """Say why the server does not serve, with the last line that it wrote."""
        with self._log.open("rb") as log:
            log.seek(max(self._log_start, self._log.stat().st_size - _TAIL_BYTES))
            lines = [line.strip() for line in log.read().decode("utf-8", "replace").splitlines()]
        last = next((line for line in reversed(lines) if line), "it wrote nothing")
        return (
            f"The primary container for production variant {self._plan.variant} did not pass the ping health check: "
            f"{why}: {last[:500]} (log: {self._log})"
        )

    def server(self) -> Server:
        """Return the server's record, and let its process go: it outlives this one."""
        process: subprocess.Popen[bytes] = self._process
        process.returncode = 0  # as if it had ended: else Python warns that it runs on
        return {
            "config": self._plan.config,
            "variant": self._plan.variant,
            "number": self._number,
            "port": self._port,
            "metrics_port": self._metrics_port,
            "pid": process.pid,
            "started": started(process.pid),
            "folder": str(self._folder),
            "weight": 1 / self._plan.instances,
        }

    def kill(self) -> None:
        """End a server that nobody has asked anything yet."""
        signal_group(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._runner.end(self._launch)


def start_servers(home: Home, runner: Runner, endpoint: str, plan: Plan, numbers: Iterable[int]) -> list[Server]:
    """Start a configuration's servers of these numbers, and return their records once all answer /ping.

    Raises DeploymentError where one does not; then none of them runs.
    """
    folder = fleet_folder(home, endpoint, plan.config)
    runner = _contained(home, plan) or runner
    _place_model(home, plan, folder)
    starting: list[_Starting] = []
    try:
        for number in numbers:
            starting.append(_Starting(runner, plan, folder, number))  # noqa: PERF401 - what started must be known
        _await(starting, plan.startup_seconds)
    except BaseException:
        for server in starting:
            server.kill()
        raise
    return [server.server() for server in starting]


def _contained(home: Home, plan: Plan) -> Runner | None:
    if plan.containers is None:
        return None
    from pipeline.local.containers.choice import choose
    from pipeline.local.containers.runner import ContainerRunner

    return ContainerRunner(home, choose(plan.containers))


def _await(starting: list[_Starting], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while starting := [server for server in starting if not server.ready()]:
        if time.monotonic() > deadline:
            raise DeploymentError(starting[0].unready(f"no 200 from /ping within {seconds:g} s"))
        time.sleep(_TICK)


def _place_model(home: Home, plan: Plan, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "model").is_dir():
        return  # a server of this fleet is started again
    if plan.model_data is None:
        (folder / "model").mkdir()
        return
    try:
        found = LocalS3(home.s3).find(plan.model_data)
    except S3Error as error:
        raise DeploymentError(f"Failed to download model data: {error}") from None
    if found is None:
        raise DeploymentError(f"Failed to download model data: there is no object {plan.model_data}")
    unpack(found.path, folder / ".unpacking")
    (folder / ".unpacking").rename(folder / "model")


def stop_servers(home: Home, servers: Iterable[Mapping[str, Any]], folder: Path) -> None:
    """Stop these servers and whatever else runs on a folder: SIGTERM, then SIGKILL after 30 s."""
    stop_orphans([(server["pid"], server["started"] or 0.0) for server in servers], folder, STOP_SECONDS)
    sweep(home, folder, STOP_SECONDS)


def remove_model(folder: Path) -> None:
    """Remove what a stopped fleet served; its logs stay."""
    for name in ("model", ".unpacking"):
        shutil.rmtree(folder / name, ignore_errors=True)


def log_of(server: Mapping[str, Any]) -> Path:
    """Return the file that has a server's output; it stays until the endpoint is deleted."""
    return Path(server["folder"]) / f"{server['number']}.log"


def lives(server: Mapping[str, Any]) -> bool:
    """Say whether a recorded server runs. Its number alone does not say so: after a restart it may be another's."""
    try:
        process = psutil.Process(server["pid"])
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        own = process.environ()
    except (psutil.Error, OSError):
        return False
    wanted = {"SAGEMAKER_BASE_DIR": server["folder"], "SAGEMAKER_BIND_TO_PORT": str(server["port"])}
    return wanted.items() <= own.items()


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [int(one.getsockname()[1]) for one in sockets]


def _pings(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=_PING_SECONDS)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
