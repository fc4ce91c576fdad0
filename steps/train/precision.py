"""Which number format and memory layout the hardware gains from, and why."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from typing import Literal

import torch

from steps.common import processor
from steps.common.job import JobError

Format = Literal["fp32", "bf16", "fp16"]
BF16_FLAGS = {"avx512_bf16", "amx_bf16"}  # x86; on ARM the flag is plain bf16
TENSOR_CORES = 7  # compute capability's major number from which half precision gains
BF16_CORES = 8


@dataclass(frozen=True)
class Choice:
    """What was chosen. `reason` is one line for the log."""

    format: Format
    channels_last: bool
    reason: str

    @property
    def dtype(self) -> torch.dtype:
        """The autocast's dtype."""
        return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[self.format]


def choose(asked: str, device: torch.device) -> Choice:
    """Choose for a device.

    Args:
        asked: auto, fp32, bf16 or fp16.
        device: where the training runs.

    Raises:
        JobError: fp16 on a CPU.
    """
    if device.type == "cuda":
        return on_gpu(asked, torch.cuda.get_device_capability(device))
    return on_cpu(asked, processor.flags())


def on_cpu(asked: str, flags: frozenset[str], machine: str | None = None) -> Choice:
    """Choose for a CPU with these instruction sets; see `choose`."""
    layout = "channels_last: its convolutions are faster on CPUs"
    native = flags & (BF16_FLAGS if (machine or platform.machine()) != "aarch64" else {"bf16"})
    if asked == "fp16":
        raise JobError("precision=fp16 needs a GPU: use bf16, fp32 or auto")
    if asked == "bf16" or (asked == "auto" and native):
        why = f"the CPU has {', '.join(sorted(native))}" if native else "as asked, though the CPU has no bf16 units"
        return Choice("bf16", channels_last=True, reason=f"bf16: {why}; {layout}")
    why = "as asked" if asked == "fp32" else "the CPU has no bf16 units, where bf16 is slower"
    return Choice("fp32", channels_last=True, reason=f"fp32: {why}; {layout}")


def on_gpu(asked: str, capability: tuple[int, int]) -> Choice:
    """Choose for a GPU of this compute capability; see `choose`."""
    major, minor = capability
    best: Format = "bf16" if major >= BF16_CORES else "fp16" if major >= TENSOR_CORES else "fp32"
    names: dict[str, Format] = {"fp32": "fp32", "bf16": "bf16", "fp16": "fp16"}
    chosen = names.get(asked, best)
    why = f"compute capability {major}.{minor}" if asked == "auto" else "as asked"
    half = chosen != "fp32"
    layout = (
        "channels_last: tensor cores want it" if half else "channels first: fp32 kernels gain nothing from the other"
    )
    return Choice(chosen, channels_last=half, reason=f"{chosen}: {why}; {layout}")
