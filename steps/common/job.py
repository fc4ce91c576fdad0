"""The container contract of SageMaker jobs, as every step sees it.

The tree under `/opt/ml` (or `SAGEMAKER_BASE_DIR`, where jobs run as plain processes):

    input/config/*.json   what a training job was asked for
    input/data/<channel>  a training job's data
    config/*.json         what a processing job was asked for
    processing/...        a processing job's inputs and outputs
    model, checkpoints    what a training job leaves
    output/failure        why a job failed: its first 1,024 characters become FailureReason
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

FAILURE_CHARACTERS = 1024


class JobError(Exception):
    """What the user can mend: the message is one line that says what is wrong and what to do."""


class JobArguments(argparse.ArgumentParser):
    """An argument parser whose complaints reach FailureReason like any other: as a JobError."""

    def error(self, message: str) -> NoReturn:
        """Raise the complaint instead of exiting."""
        raise JobError(f"{message}; see python3 -m {self.prog} --help")


def base_dir() -> Path:
    """Return the root of the contract's tree."""
    return Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))


@dataclass(frozen=True)
class Hosts:
    """The hosts of a job. `hosts` is in the service's order, the same on each of them."""

    current: str
    hosts: tuple[str, ...]
    network_interface: str = "eth0"

    @property
    def rank(self) -> int:
        """This host's place among them, from 0."""
        return self.hosts.index(self.current)


def read_hosts(config_dir: Path) -> Hosts:
    """Read `resourceconfig.json`; where there is none, this machine is the only host."""
    path = config_dir / "resourceconfig.json"
    if not path.exists():
        return Hosts("algo-1", ("algo-1",))
    config = json.loads(path.read_text(encoding="utf-8"))
    return Hosts(config["current_host"], tuple(config["hosts"]), config.get("network_interface_name", "eth0"))


def training_hosts() -> Hosts:
    """Return the hosts of the training job that this process belongs to."""
    return read_hosts(base_dir() / "input" / "config")


def processing_hosts() -> Hosts:
    """Return the hosts of the processing job that this process belongs to."""
    return read_hosts(base_dir() / "config")


def hyperparameters() -> dict[str, str]:
    """Read `hyperparameters.json`: every value is a string; `_`-prefixed keys of the tuner are dropped.

    The SDK's tuner writes a categorical value as JSON inside the string: its quotes are taken off.

    Raises:
        JobError: the file, written by hand, is no JSON object of strings.
    """
    path = base_dir() / "input" / "config" / "hyperparameters.json"
    if not path.exists():
        return {}
    try:
        raw = json.loads(path.read_bytes())
    except ValueError as error:
        raise JobError(f"{path} is no JSON: {error}") from None
    if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
        raise JobError(f'{path} must hold strings by name, numbers too: {{"epochs": "3"}}')
    return {key: value.strip('"') for key, value in raw.items() if not key.startswith("_")}


def run_job(main: Callable[[], None]) -> None:
    """Run a job's main function and leave as the service expects.

    A JobError becomes one line on stderr and in `output/failure`, any other exception its traceback on stderr and its
    last line in `output/failure`; both exit with 1.
    """
    try:
        main()
    except JobError as error:
        line = " ".join(str(error).split())  # a path or a name inside may hold line breaks
        _write_failure(line)
        print(f"error: {line}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        _write_failure(f"{type(error).__name__}: {error}")
        raise


def _write_failure(message: str) -> None:
    try:
        path = base_dir() / "output" / "failure"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(message[:FAILURE_CHARACTERS], encoding="utf-8", errors="backslashreplace")
    except OSError as error:  # a full disk must not hide the reason of the failure
        print(f"could not write the failure file: {error}", file=sys.stderr)
