"""Hosts of jobs and servers of endpoints as containers.

The engine's own process (`podman run`, `docker run`) stands for the container: it passes signals on, gives the output
and ends with the container's exit code. It outlives whoever started it. Where it is killed, its container is not: hence
`end`, and the labels by which `sweeping` finds what nobody watches any more.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections import deque
from pathlib import Path

from pipeline.local.containers.choice import ARGUMENTS, Choice
from pipeline.local.containers.command import HOSTS_FILE, container_name, hosts_file, joins, run_command
from pipeline.local.containers.sweeping import kill, remember
from pipeline.local.failures import StepError
from pipeline.local.home import Home
from pipeline.local.listening import listens
from pipeline.local.runner import Launch

_JOIN_SECONDS = 60.0
_TICK = 0.1
_TAIL = 6  # lines of a log in which an engine says why it could not run a container
_FAULTS = ("Error:", "docker:", "Error response")
_ADVICE = {
    125: f"the engine did not take it: look at {ARGUMENTS}",
    126: "the image's or the job's entrypoint is no program that can be run",
    127: "the image has no program of that name",
}


class ContainerRunner:
    """Runs a host in a container of its image, with the host's folder as its /opt/ml."""

    interface = "lo"

    def __init__(self, home: Home, choice: Choice) -> None:
        self._home, self._choice, self._engine = home, choice, choice.engine
        self._clients: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, launch: Launch) -> subprocess.Popen[bytes]:
        """Start the container. Raises StepError where the image is not here, or the job's network is gone."""
        if not self._engine.has(launch.image):
            raise StepError(f"ClientError: image {launch.image} is not here: run `bincount images build`")
        remember(self._home, self._choice)
        if not launch.serves:
            (launch.base.parent / HOSTS_FILE).write_text(hosts_file(launch), encoding="utf-8")
        name = container_name(launch)
        if self._state(name, "Status"):  # what a killed engine left of the same host
            kill(self._engine, [name])
        self._await_network(launch)
        command = run_command(launch, self._choice, self._home)
        with launch.log.open("ab") as log:
            client = subprocess.Popen(
                [*self._choice.command, *command.arguments],
                cwd=launch.base,
                env={**os.environ, **command.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._clients[name] = client
        return client

    def _await_network(self, launch: Launch) -> None:
        first = joins(launch, self._choice)
        if first is None:
            return
        client, deadline = self._clients.get(first), time.monotonic() + _JOIN_SECONDS
        while self._state(first, "Running") != "true":
            ended = client is None or client.poll() is not None
            if ended or time.monotonic() > deadline:
                why = "has ended" if ended else f"does not run within {_JOIN_SECONDS:g} s"
                raise StepError(
                    f"ClientError: {launch.host} cannot start: the network is {launch.hosts[0]}'s, which {why}"
                )
            time.sleep(_TICK)

    def listens(self, process: subprocess.Popen[bytes], launch: Launch, port: int) -> bool:
        """Say whether it is this container that has the port."""
        name = container_name(launch)
        if not self._choice.host_network:  # the engine took the port before the container ran, or ended
            return self._state(name, "Running") == "true" and process.poll() is None
        pid = self._state(name, "Pid")
        return pid.isdecimal() and int(pid) > 0 and listens(int(pid), port)

    def end(self, launch: Launch) -> None:
        """Kill the container, whose engine's process was killed before it ended."""
        kill(self._engine, [container_name(launch)])

    def refusal(self, code: int, log: Path) -> str | None:
        """Say in one line why the engine could not run a container, or return None: it was the container that ended."""
        if code not in _ADVICE:
            return None
        with log.open(encoding="utf-8", errors="replace") as file:
            last = [line.strip().rpartition("] ")[2] for line in deque(file, _TAIL)]
        fault = next((line for line in last if line.startswith(_FAULTS)), None)
        return None if fault is None else f"CannotStartContainerError: {fault[:700]} ({_ADVICE[code]})"

    def _state(self, name: str, member: str) -> str:
        return self._engine.run("container", "inspect", "--format", f"{{{{.State.{member}}}}}", name).stdout.strip()
