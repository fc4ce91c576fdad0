"""Whole training jobs as the service starts them, to take their speed from their own logs."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.machine import ROOT
from benchmarks.serving import free_port

RATE = re.compile(r"^epoch=\d+ .*images_per_second=([0-9.]+)", re.MULTILINE)
TOLD = 15  # lines of the log of a job that failed


def lay_out(base: Path, channels: Path, hyperparameters: Mapping[str, object], hosts: Sequence[str], host: str) -> Path:
    """Lay out a training job's folder for one of its hosts, and return it."""
    config = base / "input" / "config"
    config.mkdir(parents=True)
    (base / "input" / "data").symlink_to(channels)
    strings = {name: str(value) for name, value in hyperparameters.items()}
    (config / "hyperparameters.json").write_text(json.dumps(strings))
    (config / "resourceconfig.json").write_text(json.dumps({"current_host": host, "hosts": list(hosts)}))
    return base


def train(folder: Path, channels: Path, hyperparameters: Mapping[str, object], hosts: int = 1) -> float:
    """Run a training job on hosts that are processes here, and return its photos a second.

    The median of its epochs' but the first, in which memory is taken and convolutions are prepared.

    Args:
        folder: an empty one.
        channels: folder of the channels.
        hyperparameters: of the job, two epochs at least.
        hosts: that share this machine's cores.

    Raises:
        RuntimeError: the job failed; the message ends its log.
    """
    names = [f"algo-{number}" for number in range(1, hosts + 1)]
    bases = [lay_out(folder / name, channels, hyperparameters, names, name) for name in names]
    jobs = [_start(base, port) for port in [free_port()] for base in bases]
    logs = [job.communicate()[0] for job in jobs]
    for job, log in zip(jobs, logs, strict=True):
        if job.returncode:
            raise RuntimeError("the training job failed: " + " / ".join(log.splitlines()[-TOLD:]))
    return steady_rate(logs[0])


def steady_rate(log: str) -> float:
    """Return the median of the epochs' images_per_second in a job's log, the first epoch apart."""
    rates = [float(rate) for rate in RATE.findall(log)]
    if len(rates) < 2:
        raise ValueError("the log tells of fewer than two epochs")
    return statistics.median(rates[1:])


def _start(base: Path, port: int) -> subprocess.Popen[str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "MASTER_"))}
    environment = {
        **inherited,
        "SAGEMAKER_BASE_DIR": str(base),
        "PYTHONPATH": str(ROOT),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    command = [sys.executable, "-m", "steps.train", "train"]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
