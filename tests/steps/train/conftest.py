"""Small data sets and jobs for the tests of the Train step."""

from __future__ import annotations

import io
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from steps.common.shards import Photo, ShardWriter

ROOT = Path(__file__).parents[3]
SIZE = 32
TINY: dict[str, str] = {
    "epochs": "2",
    "batch_size": "8",
    "image_size": str(SIZE),
    "weights": "none",
    "precision": "fp32",
    "checkpoint_steps": "2",
    "warmup_epochs": "0.5",
    "patience": "0",
}


def draw_photo(label: int, seed: int) -> bytes:
    """Draw `label` white bars on a noisy ground."""
    pixels = np.random.default_rng(seed).integers(0, 60, (SIZE, SIZE, 3), dtype=np.uint8)
    for bar in range(label):
        pixels[4:28, 3 + bar * 6 : 6 + bar * 6] = 230
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def write_channel(folder: Path, photos: int, first: int = 0) -> None:
    """Write a channel of `photos` photos, labels 1 to 5 in turn."""
    with ShardWriter(folder, "shard") as writer:
        for number in range(first, first + photos):
            writer.write(Photo(f"{number:05d}", number % 5 + 1, f"g{number}", draw_photo(number % 5 + 1, number)))


@pytest.fixture(scope="session")
def channels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the channels train (44 photos) and validation (15)."""
    folder = tmp_path_factory.mktemp("channels")
    write_channel(folder / "train", 44)
    write_channel(folder / "validation", 15, first=1000)
    return folder


@pytest.fixture
def make_job(tmp_path: Path, channels: Path) -> Callable[..., Path]:
    """Return a function that lays out a training job's folder and returns it."""

    def make(
        name: str = "job",
        hosts: Sequence[str] = ("algo-1",),
        current: str = "algo-1",
        **hyperparameters: str,
    ) -> Path:
        return lay_out(tmp_path / name, channels, {**TINY, **hyperparameters}, hosts, current)

    return make


def lay_out(
    base: Path,
    channels: Path,
    hyperparameters: Mapping[str, str],
    hosts: Sequence[str] = ("algo-1",),
    current: str = "algo-1",
) -> Path:
    """Lay out the container contract of a training job under `base`."""
    config = base / "input" / "config"
    config.mkdir(parents=True)
    (base / "input" / "data").symlink_to(channels)
    (config / "hyperparameters.json").write_text(json.dumps(dict(hyperparameters)))
    (config / "resourceconfig.json").write_text(
        json.dumps({"current_host": current, "hosts": list(hosts), "network_interface_name": "eth0"})
    )
    return base


@pytest.fixture
def command() -> list[str]:
    """Return the training image's command, as the service gives it."""
    return [sys.executable, "-m", "steps.train", "train"]


@pytest.fixture
def job_environment() -> Callable[..., dict[str, str]]:
    """Return a function that gives a job's environment."""

    def environment(base: Path, **variables: str) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "MASTER_"))}
        return {**inherited, "SAGEMAKER_BASE_DIR": str(base), "PYTHONPATH": str(ROOT), **variables}

    return environment


@pytest.fixture
def free_port() -> str:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])
