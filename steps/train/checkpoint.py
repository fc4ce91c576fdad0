"""Checkpoints: one safetensors file with all tensors and, as JSON in its header, the place in the run.

One file, so that a kill between two writes cannot leave halves that do not belong together. They lie under the
fingerprint of what decides the result (hyperparameters, data, code): another run's checkpoint is never resumed, though
the folder, an S3 prefix on SageMaker, is the same. Random state needs no place in it: every random number is drawn
from the seed and the position (steps.train.augment, steps.train.sampler, steps.train.loop).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, ValidationError
from safetensors import SafetensorError, safe_open
from safetensors.torch import load, save
from torch import nn

from steps.common.files import atomic_file
from steps.train.hyperparameters import Hyperparameters

Tensors = dict[str, torch.Tensor]
LATEST = "latest.safetensors"


class Position(BaseModel):
    """Where a run is and what it has found. Steps and epochs are counted from 0, and name what comes next."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0  # over the epoch's photos so far, of all ranks
    best_epoch: int | None = None
    best_macro_f1: float = 0.0
    best_loss: float = 0.0
    history: list[dict[str, float]] = []
    loss_scale: float | None = None  # fp16 only, as is the number of steps since it last changed
    steps_at_scale: int = 0


def fingerprint(parameters: Hyperparameters, data: Iterable[str], code: str) -> str:
    """Return 16 hexadecimal digits of what decides the result.

    Args:
        parameters: all of them.
        data: digests of the channels.
        code: digest of the step's code.
    """
    facts = json.dumps([parameters.model_dump(), list(data), code, torch.__version__], sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()[:16]


class Checkpoints:
    """The checkpoints of one fingerprint, in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, tensors: Tensors, position: Position) -> None:
        """Write the whole state; the one before stays until this one is there."""
        content = save(_contiguous(tensors), {"position": position.model_dump_json()})
        with atomic_file(self.folder / LATEST) as file:
            file.write(content)
        for path in self.folder.glob("best-*.safetensors"):
            if path != self._best(position.best_epoch):
                path.unlink(missing_ok=True)

    def save_best(self, tensors: Tensors, epoch: int) -> None:
        """Write the weights of an epoch that is the best so far."""
        with atomic_file(self._best(epoch)) as file:
            file.write(save(_contiguous(tensors)))

    def read(self) -> bytes | None:
        """Return the latest checkpoint's file, None where there is none whole."""
        try:
            with safe_open(self.folder / LATEST, "pt") as file:
                position = _position(file.metadata())
        except (OSError, SafetensorError):
            return None
        if position is None or (position.best_epoch is not None and self.read_best(position.best_epoch) is None):
            return None
        return (self.folder / LATEST).read_bytes()

    def left(self) -> bool:
        """Return whether there is a checkpoint at all, whole or not."""
        return (self.folder / LATEST).exists()

    def read_best(self, epoch: int) -> Tensors | None:
        """Return the weights of the best epoch, None where they are not there."""
        try:
            return load(self.best_file(epoch))
        except (OSError, SafetensorError):
            return None

    def best_file(self, epoch: int) -> bytes:
        """Return the best epoch's file as it is. Raises OSError."""
        return self._best(epoch).read_bytes()

    def remove(self) -> None:
        """Remove the checkpoints of a run that is done."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _best(self, epoch: int | None) -> Path:
        return self.folder / f"best-{epoch}.safetensors"


def parse(content: bytes) -> tuple[Tensors, Position]:
    """Take a checkpoint's file apart; it was read by `Checkpoints.read`."""
    size = int.from_bytes(content[:8], "little")
    header: dict[str, Any] = json.loads(content[8 : 8 + size])
    return load(content), Position.model_validate_json(header["__metadata__"]["position"])


def _position(metadata: Mapping[str, str] | None) -> Position | None:
    try:
        return Position.model_validate_json((metadata or {}).get("position", ""))
    except ValidationError:
        return None


def _contiguous(tensors: Tensors) -> Tensors:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def pack(model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer) -> Tensors:
    """Return the tensors of a run's whole state by name."""
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.state_dict().items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
    return tensors


def unpack(tensors: Tensors, model: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Put a run's state, as `pack` returns it, back in place."""
    model.load_state_dict(_under("model.", tensors))
    average.load_state_dict(_under("average.", tensors))
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, Tensors] = {}
    for name, value in _under("optimizer.", tensors).items():
        index, _, key = name.partition(".")
        state.setdefault(int(index), {})[key] = _laid_out_like(parameters[int(index)], value)
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def _laid_out_like(parameter: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Copy into the parameter's memory layout: fused optimizers walk both side by side."""
    return torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value


def _under(prefix: str, tensors: Tensors) -> Tensors:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
