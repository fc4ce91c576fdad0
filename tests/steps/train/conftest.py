"""Small data sets and jobs for the tests of the Train step."""

from __future__ import annotations

import io
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from steps.common.shards import Photo, ShardWriter

if TYPE_CHECKING:
    from steps.train.checkpoint import Position

ROOT = Path(__file__).parents[3]
SIZE = 32
TINY: dict[str, str] = {
    "epochs": "2",
    "batch_size": "8",
    "image_size": str(SIZE),
    "weights": "none",
    "precision": "fp32",
    "warmup_epochs": "0.5",
    "patience": "0",
    "engine": "onnxruntime",  # nothing to measure
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


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Compute with one thread: as the jobs that results are compared with do, and no slower on models this small."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def fit(channels: Path, one_thread: None) -> Callable[..., Position]:
    """Return a function that trains in this process, with checkpoints in a folder, and returns the last position."""
    from steps.train import precision
    from steps.train.backbones import PhotoClassifier
    from steps.train.border import picture
    from steps.train.checkpoint import Checkpoints
    from steps.train.data import open_channel
    from steps.train.ddp import Cluster
    from steps.train.hyperparameters import parse
    from steps.train.loop import Run, Trainer
    from steps.train.sampler import plan
    from steps.train.training import start_model

    def train(
        folder: Path,
        stop: Callable[[], bool] = lambda: False,
        change: Callable[[PhotoClassifier], None] = lambda _model: None,
        **hyperparameters: str,
    ) -> Position:
        import torch

        parameters = parse({**TINY, **hyperparameters})
        size, seed, cluster = parameters.image_size, parameters.seed, Cluster(0, 1, torch.device("cpu"))
        with ThreadPoolExecutor(1) as pool:
            run = Run(
                parameters,
                open_channel(channels / "train", picture(size, parameters.augment), seed, parameters.augment),
                open_channel(channels / "validation", size, seed),
                plan(44, parameters.batch_size, 1, seed),
                cluster,
                precision.choose(parameters.precision, cluster.device),
                Checkpoints(folder),
                pool,
                stop,
            )
            model = start_model(run, channels / "weights")
            change(model)
            trainer = Trainer(run, model)
            trainer.resume()
            return trainer.fit()

    return train


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory, fit: Callable[..., Position]) -> tuple[bytes, Position]:
    """Return the best weights (the file's bytes) and the last position of a TINY run that was never stopped."""
    from steps.train.checkpoint import Checkpoints

    folder = tmp_path_factory.mktemp("reference")
    position = fit(folder)
    assert position.best_epoch is not None
    return Checkpoints(folder).best_file(position.best_epoch), position
