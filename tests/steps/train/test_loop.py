from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from steps.common.job import JobError
from steps.train.backbones import PhotoClassifier
from steps.train.checkpoint import Checkpoints, Position
from steps.train.loop import StoppedError

Fit = Callable[..., Position]
STEPS = 5  # an epoch: 44 photos in batches of 8


@pytest.fixture
def weights() -> Callable[[Path, Position], bytes]:
    def read(folder: Path, position: Position) -> bytes:
        assert position.best_epoch is not None
        return Checkpoints(folder).best_file(position.best_epoch)

    return read


def without_speed(position: Position) -> list[dict[str, float]]:
    return [{name: value for name, value in entry.items() if name != "images_per_second"} for entry in position.history]


@pytest.mark.parametrize("kills", [(1,), (STEPS,), (3, STEPS + 2, 2 * STEPS)])
def test_stopped_anywhere_and_resumed_ends_as_never_stopped(
    tmp_path: Path,
    fit: Fit,
    reference: tuple[bytes, Position],
    weights: Callable[[Path, Position], bytes],
    kills: tuple[int, ...],
) -> None:
    done = 0
    for kill in kills:
        asked = iter(range(done + 1, 1000))
        with pytest.raises(StoppedError):
            fit(tmp_path, stop=lambda asked=asked, kill=kill: next(asked) == kill)
        done = kill
    position = fit(tmp_path)
    assert weights(tmp_path, position) == reference[0]
    assert without_speed(position) == without_speed(reference[1])
    assert position.temperature == reference[1].temperature


def test_another_seed_gives_other_weights(
    tmp_path: Path, fit: Fit, reference: tuple[bytes, Position], weights: Callable[[Path, Position], bytes]
) -> None:
    assert weights(tmp_path, fit(tmp_path, seed="1")) != reference[0]


def test_patience_ends_a_run_that_gets_no_better(tmp_path: Path, fit: Fit) -> None:
    # A rate this small changes no answer: the first epoch stays the best.
    position = fit(tmp_path, epochs="9", patience="2", learning_rate="1e-30", ema_decay="0", freeze_batchnorm="true")
    assert (position.best_epoch, position.epoch) == (0, 3)


def poison(model: PhotoClassifier) -> None:
    with torch.no_grad():
        model.backbone.state_dict()["_fc.bias"].fill_(torch.nan)


def test_a_loss_that_is_no_number_ends_the_job(tmp_path: Path, fit: Fit) -> None:
    with pytest.raises(JobError, match="loss is no number in epoch 1: lower learning_rate"):
        fit(tmp_path, change=poison)


def test_it_learns(tmp_path: Path, fit: Fit) -> None:
    position = fit(
        tmp_path, epochs="3", batch_size="4", weights="package", augment="0", class_balance="0", ema_decay="0.9"
    )
    losses = [entry["train_loss"] for entry in position.history]
    assert losses[-1] < losses[0] * 0.9
