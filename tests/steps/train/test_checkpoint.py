from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from steps.train.checkpoint import LATEST, Checkpoints, Position, fingerprint, pack, parse, unpack
from steps.train.hyperparameters import Hyperparameters
from steps.train.loop import optimizer


def trained(seed: int) -> tuple[nn.Module, nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).to(memory_format=torch.channels_last)
    steps = optimizer(model, 0.1)
    for _ in range(3):
        model(torch.randn(2, 3, 8, 8)).square().sum().backward()
        steps.step()
        steps.zero_grad()
    return model, nn.Conv2d(3, 4, 3), steps


def test_state_comes_back_as_it_was_and_in_its_memory_layout(tmp_path: Path) -> None:
    before = trained(0)
    checkpoints = Checkpoints(tmp_path)
    position = Position(epoch=2, step=5, loss_sum=1.25, history=[{"epoch": 1, "val_loss": 0.1}])
    checkpoints.save(pack(*before), position)
    after = trained(1)
    tensors, found = parse(checkpoints.read() or b"")
    unpack(tensors, *after)
    assert found == position
    one, other = pack(*before), pack(*after)
    assert one.keys() == other.keys()
    assert all(torch.equal(value, other[name]) for name, value in one.items())
    weight = next(after[0].parameters())
    assert after[2].state[weight]["exp_avg"].stride() == weight.stride()


def test_nothing_there_is_no_checkpoint(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path / "none").read() is None


@pytest.mark.parametrize("keep", [0, 7, 100])
def test_a_damaged_checkpoint_is_none(tmp_path: Path, keep: int) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save({"x": torch.zeros(1000)}, Position())
    path = tmp_path / LATEST
    path.write_bytes(path.read_bytes()[:keep])
    assert checkpoints.read() is None


def test_a_checkpoint_whose_best_weights_are_gone_is_none(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save({"x": torch.zeros(1)}, Position(epoch=4, best_epoch=3))
    assert checkpoints.read() is None
    checkpoints.save_best({"x": torch.zeros(1)}, 3)
    assert checkpoints.read() is not None


def test_only_the_best_weights_that_the_checkpoint_names_stay(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    for epoch in (0, 2):
        checkpoints.save_best({"x": torch.full((1,), float(epoch))}, epoch)
        checkpoints.save({}, Position(best_epoch=epoch))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best-2.safetensors", LATEST]
    checkpoints.remove()
    assert not tmp_path.exists()


def test_the_fingerprint_tells_runs_apart() -> None:
    parameters = Hyperparameters()
    prints = {
        fingerprint(parameters, ["a", "b"], "code"),
        fingerprint(parameters, ["a", "c"], "code"),
        fingerprint(parameters, ["a", "b"], "other code"),
        fingerprint(Hyperparameters(seed=1), ["a", "b"], "code"),
    }
    assert len(prints) == 4
    assert fingerprint(Hyperparameters(), ["a", "b"], "code") in prints
