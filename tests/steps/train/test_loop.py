from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from steps.common.job import JobError
from steps.train import ema, loop, precision
from steps.train.backbones import PhotoClassifier
from steps.train.checkpoint import Checkpoints, Position
from steps.train.data import Batch, Photos, batches
from steps.train.loop import StoppedError, optimizer
from steps.train.precision import Choice
from steps.train.validation import Scores

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


def test_killed_while_it_validates_no_step_is_done_again(
    tmp_path: Path,
    fit: Fit,
    reference: tuple[bytes, Position],
    weights: Callable[[Path, Position], bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def die(*_: object) -> Scores:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loop, "validate", die)
        with pytest.raises(KeyboardInterrupt):
            fit(tmp_path)
    steps: list[int] = []
    step = loop.Trainer._step

    def count(trainer: loop.Trainer, batch: Batch, number: int) -> torch.Tensor:
        steps.append(number)
        return step(trainer, batch, number)

    monkeypatch.setattr(loop.Trainer, "_step", count)
    position = fit(tmp_path)
    assert steps == [*range(STEPS, 2 * STEPS)]
    assert weights(tmp_path, position) == reference[0]
    assert without_speed(position) == without_speed(reference[1])


def test_a_sharpness_aware_run_is_another_one_and_resumes_as_well(
    tmp_path: Path, fit: Fit, reference: tuple[bytes, Position], weights: Callable[[Path, Position], bytes]
) -> None:
    whole = fit(tmp_path / "whole", sam_rho="0.1")
    asked = iter(range(1, 1000))
    with pytest.raises(StoppedError):
        fit(tmp_path / "cut", sam_rho="0.1", stop=lambda: next(asked) == 3)
    assert weights(tmp_path / "cut", fit(tmp_path / "cut", sam_rho="0.1")) == weights(tmp_path / "whole", whole)
    assert weights(tmp_path / "whole", whole) != reference[0]


def test_a_step_climbs_by_eight_of_its_photos(tmp_path: Path, fit: Fit) -> None:
    seen: list[int] = []

    def watch(model: PhotoClassifier) -> None:
        model.register_forward_pre_hook(lambda net, inputs: seen.append(len(inputs[0])) if net.training else None)

    fit(tmp_path, change=watch, sam_rho="0.1", batch_size="22", epochs="1")
    assert seen == [8, 22, 8, 22]


def test_another_seed_gives_other_weights(
    tmp_path: Path, fit: Fit, reference: tuple[bytes, Position], weights: Callable[[Path, Position], bytes]
) -> None:
    assert weights(tmp_path, fit(tmp_path, seed="1")) != reference[0]


def test_the_average_is_told_how_far_the_run_is(tmp_path: Path, fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    monkeypatch.setattr(ema.Average, "update", lambda _, step: told.append(step))
    fit(tmp_path, epochs="2")
    assert told == list(range(2 * STEPS))


def test_patience_ends_a_run_that_gets_no_better(tmp_path: Path, fit: Fit) -> None:
    # A rate this small changes no answer: the first epoch stays the best.
    position = fit(tmp_path, epochs="9", patience="2", learning_rate="1e-30", ema_decay="0", freeze_batchnorm="true")
    assert (position.best_epoch, position.epoch) == (0, 3)


def test_the_epoch_of_the_lowest_loss_is_kept_whatever_its_luck(
    tmp_path: Path, fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    epochs = iter([(1.5, 0.3), (1.3, 0.4), (1.4, 0.6), (1.31, 0.2)])

    def score(*_: object) -> Scores:
        loss, macro_f1 = next(epochs)
        return Scores(loss, 0.4, macro_f1, 0.8, 0.0, 1.0, (0.0,) * 5, 2.0)

    monkeypatch.setattr(loop, "validate", score)
    position = fit(tmp_path, epochs="4")
    assert (position.best_epoch, position.best_macro_f1, position.best_loss) == (1, 0.4, 1.3)
    assert [entry["best_val_macro_f1"] for entry in position.history] == [0.3, 0.4, 0.4, 0.4]
    assert [entry["best_val_loss"] for entry in position.history] == [1.5, 1.3, 1.3, 1.3]


def test_resumed_when_done_it_prints_the_last_metrics_again(
    tmp_path: Path, fit: Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    def metrics() -> list[str]:
        return [line for line in capsys.readouterr().out.splitlines() if line.startswith("epoch=")]

    fit(tmp_path, epochs="1")
    first = metrics()
    fit(tmp_path, epochs="1")
    assert metrics() == first != []


def test_a_checkpoint_that_lost_its_best_weights_is_not_resumed_and_said_so(
    tmp_path: Path, fit: Fit, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(tmp_path, epochs="1")
    assert "starts over" not in capsys.readouterr().out
    for path in tmp_path.glob("best-*"):
        path.unlink()
    assert fit(tmp_path, epochs="1").epoch == 1
    assert "is not whole: training starts over" in capsys.readouterr().out


def test_a_resumed_fp16_run_goes_on_with_its_loss_scale(
    tmp_path: Path, fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision, "choose", lambda *_: Choice("fp16", channels_last=False, reason="a test"))
    # Small enough never to overflow, and doubled after 4 good steps: one is left to count.
    monkeypatch.setattr(torch.amp, "GradScaler", partial(torch.amp.GradScaler, init_scale=1.0, growth_interval=4))
    whole = fit(tmp_path / "whole", epochs="1")
    asked = iter(range(1, 1000))
    with pytest.raises(StoppedError):
        fit(tmp_path / "cut", epochs="1", stop=lambda: next(asked) == 3)
    cut = fit(tmp_path / "cut", epochs="1")
    assert (cut.loss_scale, cut.steps_at_scale) == (whole.loss_scale, whole.steps_at_scale) == (2.0, 1)


def test_weight_decay_spares_what_scales_and_shifts() -> None:
    shapes = {"kernel": (8, 1, 3, 3), "matrix": (5, 8), "pointwise": (8, 4, 1, 1)}
    spared = {"bias": (8,), "norm": (8,), "layer_scale": (8, 1, 1)}
    model = torch.nn.ParameterDict({name: torch.ones(shape) for name, shape in {**shapes, **spared}.items()})
    decayed, kept = optimizer(model, 0.1).param_groups
    assert [decayed["weight_decay"], kept["weight_decay"]] == [0.1, 0.0]
    assert {tuple(each.shape) for each in decayed["params"]} == set(shapes.values())
    assert {tuple(each.shape) for each in kept["params"]} == set(spared.values())


def poison(model: PhotoClassifier) -> None:
    with torch.no_grad():
        model.backbone.state_dict()["_fc.bias"].fill_(torch.nan)


def test_a_loss_that_is_no_number_ends_the_job(tmp_path: Path, fit: Fit) -> None:
    with pytest.raises(JobError, match="loss is no number in epoch 1: lower learning_rate"):
        fit(tmp_path, change=poison)


def test_pictures_grow_while_it_trains(tmp_path: Path, fit: Fit, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def watched(photos: Photos, *rest: Any) -> Iterator[Batch]:
        sizes.append(photos.size)
        return batches(photos, *rest)

    monkeypatch.setattr("steps.train.loop.batches", watched)
    fit(tmp_path, epochs="4", start_size="32", image_size="56", ema_decay="0")  # 64 with the border
    assert sizes == [32, 64, 64, 64]


def test_it_learns(tmp_path: Path, fit: Fit) -> None:
    position = fit(
        tmp_path,
        epochs="3",
        batch_size="4",
        weights="package",
        augment="0",
        dropout="0",
        class_balance="0",
        ema_decay="0.9",
    )
    losses = [entry["train_loss"] for entry in position.history]
    assert losses[-1] < losses[0] * 0.9
