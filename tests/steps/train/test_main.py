"""Whole jobs as the service starts them: killed, resumed, and over two hosts."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file

from steps.common.artifact import open_artifact, read_spec
from steps.common.shards import Items, Photo, ShardDataset, ShardWriter
from steps.train import weights
from steps.train.backbones import build
from steps.train.checkpoint import LATEST, Checkpoints, Position, parse
from steps.train.data import open_channel
from steps.train.loop import photos_digest
from steps.train.records import MEASURES
from steps.train.sampler import plan

HOSTS = ("algo-1", "algo-2")
READY = "weights: "  # printed when SIGTERM is handled and no step is done yet
# Frozen statistics and nothing random in the model: what several processes compute is then what one computes. So little
# augmentation leaves no border: in pictures of 32 pixels rounding grows little. At 64 a change of the first weights by
# one part in ten million takes one process 7 % of the way off its end, at 32 less than 1 %.
EXACT = {
    "weights": "package",
    "freeze_batchnorm": "true",
    "dropout": "0",
    "drop_path": "0",
    "seed": "3",
    "augment": "0.2",
}
COMMAND = [sys.executable, "-m", "steps.train", "train"]

pytestmark = pytest.mark.slow

MakeJob = Callable[..., Path]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(job_environment: Callable[..., dict[str, str]]) -> Iterator[Start]:
    """Return a function that starts a job's process; what still runs at the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def begin(base: Path, **variables: str) -> subprocess.Popen[str]:
        environment = job_environment(base, **variables)
        process = subprocess.Popen(
            COMMAND, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
            process.communicate()


def read_until(process: subprocess.Popen[str], beginning: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(beginning):
            return
    pytest.fail(f"the job ended without saying {beginning!r}")


def checkpoint_folder(base: Path) -> Path:
    (folder,) = (base / "checkpoints").iterdir()
    return folder


def test_stopped_and_started_again_ends_as_never_stopped(
    make_job: MakeJob, start: Start, reference: tuple[bytes, Position]
) -> None:
    base = make_job()
    process = start(base, OMP_NUM_THREADS="1")
    read_until(process, READY)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate()
    assert process.returncode == 128 + signal.SIGTERM, said
    position = parse((checkpoint_folder(base) / LATEST).read_bytes())[1]
    assert (position.epoch, position.step) == (0, 1)
    assert not (base / "model").exists()

    process = start(base, OMP_NUM_THREADS="1", TRAINING_JOB_NAME="job-7")
    said, _ = process.communicate()
    assert process.returncode == 0, said
    assert "resumed at epoch 1, step 1 of 5" in said
    assert (base / "model" / "model.safetensors").read_bytes() == reference[0]
    assert list((base / "checkpoints").iterdir()) == []
    check_artifact(base / "model")


def check_artifact(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "model.onnx",
        "model.json",
        "model.safetensors",
        "metrics.json",
        "training_curve.png",
    }
    with open_artifact(folder) as opened:
        spec = read_spec(opened)
    assert spec.provenance["job"] == "job-7"
    session = onnxruntime.InferenceSession(folder / "model.onnx")
    assert session.run(None, {"photos": np.zeros((2, 32, 32, 3), np.uint8)})[0].shape == (2, 5)
    history = json.loads((folder / "metrics.json").read_text())
    assert [entry["epoch"] for entry in history] == [1, 2]
    assert float(spec.provenance["val_macro_f1"]) == pytest.approx(history[-1]["best_val_macro_f1"], abs=1e-5)


def test_killed_after_a_step_s_checkpoint_it_goes_on_from_there(
    make_job: MakeJob, start: Start, fit: Callable[..., Position], reference: tuple[bytes, Position]
) -> None:
    base = make_job(checkpoint_steps="2")
    process = start(base, OMP_NUM_THREADS="1")
    while not any((base / "checkpoints").glob(f"*/{LATEST}")):
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.communicate()
    folder = checkpoint_folder(base)
    assert 0 < parse(Checkpoints(folder).read() or b"")[1].step <= 5
    position = fit(folder)
    assert Checkpoints(folder).best_file(position.best_epoch or 0) == reference[0]


def test_auxiliary_photos_train_and_the_artifact_still_answers_one_to_five(
    tmp_path: Path, channels: Path, make_job: MakeJob, start: Start
) -> None:
    base = make_job()
    data = base / "input" / "data"
    data.unlink()
    data.mkdir()
    for name in ("train", "validation"):
        (data / name).symlink_to(channels / name)
    photo = ShardDataset(channels / "train")[0].image
    with ShardWriter(data / "auxiliary", "auxiliary") as shards:
        for number in range(12):
            items = Items(2, 1.0, 30.0, 0.5, 7.0, ("case", "phone"))
            shards.write(Photo(f"other-{number}", 6 + number % 4, f"record:{number}", photo, items))
    process = start(base, OMP_NUM_THREADS="1", TRAINING_JOB_NAME="job-7")
    said, _ = process.communicate()
    assert process.returncode == 0, said
    assert "auxiliary: 12 of the photos to train on" in said
    assert "records: 12 photos teach 0 words" in said
    check_artifact(base / "model")
    weights = load_file(base / "model" / "model.safetensors")
    assert weights["_fc.weight"].shape[0] == 10 + MEASURES  # twelve photos make no word frequent


def test_a_wrong_hyperparameter_is_one_line_in_the_failure_file(make_job: MakeJob, start: Start) -> None:
    base = make_job(bogus="1")
    process = start(base)
    said, _ = process.communicate()
    assert process.returncode == 1
    failure = (base / "output" / "failure").read_text()
    assert failure.startswith("unknown hyperparameter bogus; known are epochs, ")
    assert said == f"error: {failure}\n"


@pytest.fixture
def two_hosts(make_job: MakeJob) -> Callable[..., tuple[Path, Path]]:
    def make(**hyperparameters: str) -> tuple[Path, Path]:
        first, second = (make_job(host, HOSTS, host, **hyperparameters) for host in HOSTS)
        return first, second

    return make


def test_two_hosts_stopped_and_started_again_are_one_training(
    two_hosts: Callable[..., tuple[Path, Path]],
    start: Start,
    free_port: str,
    fit: Callable[..., Position],
    channels: Path,
    tmp_path: Path,
) -> None:
    bases = two_hosts(**EXACT)
    together = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port, "OMP_NUM_THREADS": "1"}
    first, second = (start(base, **together) for base in bases)
    read_until(first, READY)
    second.send_signal(signal.SIGTERM)  # one host only: both agree to stop
    said = [process.communicate()[0] for process in (first, second)]
    assert [first.returncode, second.returncode] == [128 + signal.SIGTERM] * 2, said
    assert not any((base / "output" / "failure").exists() for base in bases)
    assert parse((checkpoint_folder(bases[0]) / LATEST).read_bytes())[1].step == 1

    processes = [start(base, **together) for base in bases]
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert not (bases[1] / "model").exists()  # only the first host writes

    check_ranks(said, channels)
    position = fit(tmp_path / "alone", **EXACT)
    check_equal(bases[0] / "model", Checkpoints(tmp_path / "alone"), position)


def test_three_hosts_stopped_and_started_again_end_with_the_same_bytes(
    make_job: MakeJob, start: Start, free_port: str
) -> None:
    """Two numbers have one sum; three have one for each order, and DDP chooses it anew in each process."""
    hosts = ("algo-1", "algo-2", "algo-3")
    told = {"backbone": "resnet18", "batch_size": "12", "epochs": "1", "augment": "0"}
    together = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port, "OMP_NUM_THREADS": "1"}

    def run(bases: list[Path], *, stopped: bool = False) -> None:
        processes = [start(base, **together) for base in bases]
        if stopped:
            read_until(processes[0], READY)
            processes[0].send_signal(signal.SIGTERM)
        said = [process.communicate()[0] for process in processes]
        assert {process.returncode for process in processes} == {128 + signal.SIGTERM if stopped else 0}, said

    never = [make_job(f"never-{host}", hosts, host, **told) for host in hosts]
    run(never)
    again = [make_job(f"again-{host}", hosts, host, **told) for host in hosts]
    run(again, stopped=True)
    assert parse((checkpoint_folder(again[0]) / LATEST).read_bytes())[1].step == 1
    run(again)
    one, other = (bases[0] / "model" / "model.safetensors" for bases in (never, again))
    assert one.read_bytes() == other.read_bytes()


def test_two_hosts_that_climb_apart_step_together(
    two_hosts: Callable[..., tuple[Path, Path]], start: Start, free_port: str, channels: Path
) -> None:
    bases = two_hosts(**{**EXACT, "sam_rho": "0.1"})
    together = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": free_port, "OMP_NUM_THREADS": "1"}
    processes = [start(base, **together) for base in bases]
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    check_ranks(said, channels)


def check_ranks(said: list[str], channels: Path) -> None:
    """Each rank saw its half of the second, whole, epoch, and both held the same weights after each."""
    lines = [re.findall(r"rank (\d) of 2: saw (\d+) photos \((\w+)\), weights (\w+)", text) for text in said]
    assert [[(rank, len(lines[0])) for rank, *_ in ranks] for ranks in lines] == [[("0", 2)] * 2, [("1", 2)] * 2]
    assert [line[3] for line in lines[0]] == [line[3] for line in lines[1]]
    shared = plan(len(open_channel(channels / "train", 32, 3).shards), 8, 2, 3)
    halves = [np.sort(np.concatenate(shared.batches(1, rank))) for rank in range(2)]
    assert not set(halves[0].tolist()) & set(halves[1].tolist())
    assert [(int(ranks[1][1]), ranks[1][2]) for ranks in lines] == [(len(half), photos_digest(half)) for half in halves]


def check_equal(model: Path, alone: Checkpoints, position: Position) -> None:
    """Both trained the same weights from the same start, within what float addition in another order gives.

    That is little of the way that training went, but not little everywhere: where a gradient is nearly zero, Adam makes
    a whole step of its sign.
    """
    together = load_file(model / "model.safetensors")
    single = alone.read_best(position.best_epoch or 0) or {}
    assert together.keys() == single.keys()
    start = start_weights()
    apart = sum(float((together[name].double() - single[name].double()).square().sum()) for name in single) ** 0.5
    moved = sum(float((single[name].double() - start[name].double()).square().sum()) for name in single) ** 0.5
    assert moved > 0.1
    assert apart < 0.01 * moved


def start_weights() -> dict[str, torch.Tensor]:
    """Return the weights before training: the package's, with a head of the run's seed."""
    torch.manual_seed(3)
    backbone = build("efficientnet_lite0", 0.0, 0.0, 32).backbone
    weights.load(backbone, "efficientnet_lite0", "package", Path())
    return backbone.state_dict()


def test_a_host_without_its_data_fails_both_with_the_reason(
    two_hosts: Callable[..., tuple[Path, Path]], start: Start, free_port: str
) -> None:
    bases = two_hosts()
    (bases[1] / "input" / "data").unlink()
    processes = [start(base, MASTER_ADDR="127.0.0.1", MASTER_PORT=free_port) for base in bases]
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [1, 1], said
    assert "holds no .arrow shards" in (bases[1] / "output" / "failure").read_text()
    assert (bases[0] / "output" / "failure").read_text()


def test_workers_die_with_their_killed_launcher(
    two_hosts: Callable[..., tuple[Path, Path]], start: Start, free_port: str
) -> None:
    bases = two_hosts(epochs="1000")
    first, second = (start(base, MASTER_ADDR="127.0.0.1", MASTER_PORT=free_port) for base in bases)
    read_until(first, "epoch=1 ")
    for process in (first, second):
        process.kill()
    for process in (first, second):
        process.communicate(timeout=60)  # ends only when no worker holds the pipe any more
