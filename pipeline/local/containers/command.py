"""What an engine is told to run: pure functions of a launch."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pipeline.local.containers.choice import Choice
from pipeline.local.containers.sweeping import BASE_LABEL, HOME_LABEL
from pipeline.local.home import Home
from pipeline.local.runner import Launch

PROJECT_LABEL = "project=bincount"
HOSTS_FILE = "hosts"
_PORTS = {"SAGEMAKER_BIND_TO_PORT": "8080", "METRICS_PORT": "9090"}  # what a container serves on by itself
_BINDING = frozenset({*_PORTS, "SERVER_HOST"})
# What engines read of their own environment: a job's variable of such a name is passed as an argument.
_OF_ENGINES = ("DOCKER", "CONTAINER", "PODMAN", "BUILDAH", "STORAGE", "REGISTRY", "XDG_", "LD_", "GO", "SAGEMAKER_")


@dataclass(frozen=True)
class Command:
    """The arguments after the engine's command, and variables of the engine's own process."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]


def container_name(launch: Launch, host: str | None = None) -> str:
    """Name the container of a host (the launch's own unless given): one a folder and host, whoever starts it."""
    digest = hashlib.sha256(str(launch.base if launch.serves else launch.base.parent).encode()).hexdigest()[:16]
    return f"bincount-{digest}-{host or launch.host}"


def run_command(launch: Launch, choice: Choice, home: Home) -> Command:
    """Return the engine's run of a launch.

    Values of variables are not among the arguments, which everybody on the machine may read: the engine takes them
    from its own environment.
    """
    passed, own = _environment(launch, choice)
    arguments = (
        *("run", "--rm", "--pull=never", "--log-driver=none", f"--name={container_name(launch)}"),
        *(f"--label={PROJECT_LABEL}", f"--label={HOME_LABEL}={home.root}", f"--label={BASE_LABEL}={launch.base}"),
        # A process may not write what its user may not: inputs are links to objects of the local S3.
        *("--cap-drop=DAC_OVERRIDE", "--security-opt=no-new-privileges", "--security-opt=label=disable"),
        "--shm-size=1g",
        *(("--http-proxy=false",) if choice.kind == "podman" else ()),
        *((f"--user={choice.user}",) if choice.user else ()),
        *_mounts(launch),
        *_network(launch, choice),
        *passed,
        *choice.arguments,
        *((f"--entrypoint={launch.entrypoint[0]}",) if launch.entrypoint else ()),
        launch.image,
        *((launch.entrypoint or ())[1:]),
        *launch.arguments,
    )
    return Command(arguments, own)


def _mounts(launch: Launch) -> tuple[str, ...]:
    if launch.serves:  # as on the service, which gives a server its model to read and nothing else
        return (_mount(launch.base / "model", "/opt/ml/model", read_only=True),)
    hosts = _mount(launch.base.parent / HOSTS_FILE, "/etc/hosts", read_only=True)
    return (_mount(launch.base, "/opt/ml"), hosts)


def _mount(source: Path, target: str, *, read_only: bool = False) -> str:
    # As one field of a CSV line, which may hold commas.
    quoted = '"' + f"source={source}".replace('"', '""') + '"'
    return f"--mount=type=bind,{quoted},target={target}{',readonly' if read_only else ''}"


def hosts_file(launch: Launch) -> str:
    """Return the /etc/hosts of a job's hosts, who meet on loopback."""
    return f"127.0.0.1 localhost {' '.join(launch.hosts or (launch.host,))}\n::1 localhost\n"


def joins(launch: Launch, choice: Choice) -> str | None:
    """Return the container whose network this one shares: that of the job's first host."""
    if choice.host_network or len(launch.hosts) < 2 or launch.host == launch.hosts[0]:
        return None
    return container_name(launch, launch.hosts[0])


def _network(launch: Launch, choice: Choice) -> tuple[str, ...]:
    if choice.host_network:
        return ()
    if first := joins(launch, choice):
        return (f"--network=container:{first}",)
    ports = tuple(
        f"--publish=127.0.0.1:{launch.environment[name]}:{inside}"
        for name, inside in _PORTS.items()
        if launch.serves and name in launch.environment
    )
    isolated = ("--network=none",) if launch.isolated and not launch.serves else ()
    return (*isolated, f"--hostname={launch.host}", *ports)


def _environment(launch: Launch, choice: Choice) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the arguments that name the container's variables, and the engine's own with their values."""
    given = {"OMP_NUM_THREADS": str(launch.threads), "AWS_EC2_METADATA_DISABLED": "true", **launch.environment}
    if choice.user:
        given = {"HOME": "/tmp", **given}  # noqa: S108 - in the container, where this user has no home
    inside = given
    if launch.serves and not choice.host_network:
        inside = {name: value for name, value in given.items() if name not in _BINDING}
    plain = {
        name: value for name, value in inside.items() if name not in os.environ and not name.startswith(_OF_ENGINES)
    }
    passed = tuple(f"--env={name}" if name in plain else f"--env={name}={value}" for name, value in inside.items())
    # By these a process is known for what runs in a folder, and on a port: the engine's stands for its container.
    known = {name: given[name] for name in ("SAGEMAKER_BIND_TO_PORT",) if name in given}
    return passed, {**plain, **known, "SAGEMAKER_BASE_DIR": str(launch.base)}
