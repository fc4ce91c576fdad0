"""The processes of a training job, as torchrun starts them; a single process needs none of it.

CPU tensors travel by gloo, CUDA tensors by NCCL.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import distributed, nn

from steps.common.job import JobError

TIMEOUT = timedelta(minutes=15)  # a lost host ends the job; writing a large checkpoint must not


@dataclass(frozen=True)
class Cluster:
    """This process among all of the job's. Every method must be called by all ranks alike."""

    rank: int
    world: int
    device: torch.device

    @property
    def leads(self) -> bool:
        """Whether this is the one process that writes and prints."""
        return self.rank == 0

    def any(self, flag: bool) -> bool:
        """Return whether any rank raises its flag."""
        if self.world == 1:
            return flag
        raised = torch.tensor([float(flag)])
        distributed.all_reduce(raised, distributed.ReduceOp.MAX)
        return bool(raised.item())

    def sum(self, values: torch.Tensor) -> torch.Tensor:
        """Return the sum of each rank's values."""
        if self.world > 1:
            values = values.clone()
            distributed.all_reduce(values)
        return values

    def broadcast_bytes(self, data: bytes | None) -> bytes | None:
        """Return rank 0's bytes (or None) on every rank."""
        if self.world == 1:
            return data
        size = torch.tensor([-1 if data is None else len(data)])
        distributed.broadcast(size, 0)
        if size.item() < 0:
            return None
        content = (
            torch.frombuffer(bytearray(data), dtype=torch.uint8) if data else torch.empty(int(size), dtype=torch.uint8)
        )
        if size.item():
            distributed.broadcast(content, 0)
        return content.numpy().tobytes()

    def gather(self, mine: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Return every rank's array, in the order of ranks. They may differ in their first dimension only."""
        if self.world == 1:
            return [mine]
        lengths = [torch.zeros(1, dtype=torch.int64) for _ in range(self.world)]
        distributed.all_gather(lengths, torch.tensor([len(mine)]))
        longest = max(int(length) for length in lengths)
        padded = np.zeros((longest, *mine.shape[1:]), mine.dtype)
        padded[: len(mine)] = mine
        all_of_them = [torch.zeros_like(torch.from_numpy(padded)) for _ in range(self.world)]
        distributed.all_gather(all_of_them, torch.from_numpy(padded))
        return [rows.numpy()[: int(length)] for rows, length in zip(all_of_them, lengths, strict=True)]

    def same_everywhere(self, digest: bytes) -> bool:
        """Return whether all ranks hold the same 32 bytes."""
        every = self.gather(np.frombuffer(digest, np.uint8))
        return all(other.tobytes() == digest for other in every)

    def copy_buffers(self, module: nn.Module) -> None:
        """Give every rank the batch statistics of rank 0."""
        if self.world > 1:
            for buffer in module.buffers():
                distributed.broadcast(buffer, 0)

    def wrap(self, model: nn.Module) -> nn.Module:
        """Have gradients averaged over the ranks; the model starts as rank 0's."""
        if self.world == 1:
            return model
        # Batch statistics are each rank's own while training; rank 0's are copied before they are used.
        return nn.parallel.DistributedDataParallel(
            model,
            forward_sync_buffers=False,
            gradient_as_bucket_view=True,
            # After its first step DDP puts the gradients into another order, unless it looks for unused ones. A resumed
            # run would then do a step in another order than the run that it continues, and of three numbers and more
            # each order has a sum of its own.
            find_unused_parameters=self.world > 2,
        )

    def apart(self, wrapped: nn.Module) -> AbstractContextManager[None]:
        """Keep this rank's gradients its own inside the block: what `wrap` returned does not average them."""
        if isinstance(wrapped, nn.parallel.DistributedDataParallel):
            return cast("AbstractContextManager[None]", wrapped.no_sync())
        return nullcontext()

    def barrier(self) -> None:
        """Wait for all ranks."""
        self.any(flag=False)

    def close(self) -> None:
        """Leave, at a good end only: after a fault the peers must notice the broken connection."""
        if self.world > 1:
            distributed.destroy_process_group()


def join(environment: Mapping[str, str] = os.environ) -> Cluster:
    """Join the processes that torchrun's environment names; without one, be alone.

    Raises:
        JobError: the peers are not there in time.
    """
    local = int(environment.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", local) if torch.cuda.is_available() else torch.device("cpu")
    if device.type == "cuda":
        torch.cuda.set_device(device)
    world = int(environment.get("WORLD_SIZE", "1"))
    if world == 1:
        return Cluster(0, 1, device)
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    try:
        distributed.init_process_group(backend, timeout=TIMEOUT)
    except (distributed.DistError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise JobError(f"the hosts of the job do not reach each other: {reason}") from None
    return Cluster(int(environment["RANK"]), world, device)


def weights_digest(model: nn.Module) -> bytes:
    """Return the SHA-256 (32 bytes) of all weights and buffers, by name."""
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return digest.digest()
