"""How the host of a job is started: as a process of this machine."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.local.failures import StepError
from pipeline.local.listening import listens

REPOSITORY = Path(__file__).parents[2]

# What a job or a function may know of the user's environment. No AWS_*, no tokens, no proxies: a job in network
# isolation has none.
KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES")
NOWHERE = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_OPT_ML = re.compile(r"(?<![\w./-])/opt/ml(?![\w.-])")


@dataclass(frozen=True)
class Launch:
    """One host of a job, or a server.

    `base` stands for its /opt/ml, `threads` is its share of the cores; output goes to `log`. `hosts` are all of the
    job, `isolated` says that it may reach nothing else. One that `serves` finds a `model` in `base`, and its ports in
    the environment.
    """

    host: str
    base: Path
    image: str
    entrypoint: tuple[str, ...] | None
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    threads: int
    log: Path
    hosts: tuple[str, ...] = ()
    isolated: bool = False
    serves: bool = False


class Runner(Protocol):
    """Starts the hosts of jobs, each in a process group of its own."""

    @property
    def interface(self) -> str:
        """The network interface on which the hosts of a job meet."""
        ...

    def start(self, launch: Launch) -> subprocess.Popen[bytes]:
        """Start one host. Raises StepError where its image cannot be run."""
        ...

    def listens(self, process: subprocess.Popen[bytes], launch: Launch, port: int) -> bool:
        """Say whether it is this host, not another's process, that listens on a port of this machine."""
        ...

    def end(self, launch: Launch) -> None:
        """End what is left of a host whose process group was killed."""
        ...

    def refusal(self, code: int, log: Path) -> str | None:
        """Say why a host could not be run at all, from its exit code and log; None where it was."""
        ...


class ProcessRunner:
    """Runs a host's command on this machine, with `/opt/ml` standing for the host's own folder."""

    interface = "lo0" if sys.platform == "darwin" else "lo"

    def start(self, launch: Launch) -> subprocess.Popen[bytes]:
        """Start the command that the job or the image's Dockerfile names."""
        command = [_local(part, launch.base) for part in (*_entrypoint(launch), *launch.arguments)]
        if command[0] in {"python", "python3"}:
            command[0] = sys.executable
        with launch.log.open("ab") as log:
            try:
                return subprocess.Popen(
                    command,
                    cwd=launch.base,
                    env=_environment(launch),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except (FileNotFoundError, PermissionError):
                raise StepError(f"ClientError: {command[0]} of image {launch.image} is no program here") from None

    def listens(self, process: subprocess.Popen[bytes], _launch: Launch, port: int) -> bool:
        """Say whether the process, or one that it started, listens on the port."""
        return listens(process.pid, port)

    def end(self, _launch: Launch) -> None:
        """Do nothing: its process group was all there was."""

    def refusal(self, _code: int, _log: Path) -> None:
        """Return None: a command that cannot be run is told when it is started."""


def _entrypoint(launch: Launch) -> tuple[str, ...]:
    if launch.entrypoint:
        return launch.entrypoint
    from pipeline.images import entrypoint_of

    found = entrypoint_of(launch.image)
    if found is None:
        raise StepError(
            f"ClientError: image {launch.image} is not one of this repository's: "
            "give the job a ContainerEntrypoint to run it as a process"
        )
    return tuple(found)


def _environment(launch: Launch) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    own = {name: _local(value, launch.base) for name, value in launch.environment.items()}
    return {
        **kept,
        **NOWHERE,
        "OMP_NUM_THREADS": str(launch.threads),
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONUNBUFFERED": "1",  # metrics are read from the log as it grows
        **own,
        "SAGEMAKER_BASE_DIR": str(launch.base),
    }


def _local(text: str, base: Path) -> str:
    return _OPT_ML.sub(lambda _: str(base), text)
