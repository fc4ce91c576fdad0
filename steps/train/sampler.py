"""Which photo is seen when and by whom: a function of (seed, epoch, step, rank), so that resuming needs no state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from steps.common.job import JobError

Indices = npt.NDArray[np.int64]
MIN_LOCAL = 2  # batch normalisation needs two photos in a process


@dataclass(frozen=True)
class Plan:
    """An epoch's global batches over `photos` photos, shared among `world` processes.

    Each photo is seen at most once an epoch. The photos that do not fill the last global batch are left out of that
    epoch; as every epoch has its own order, they are others each time.
    """

    photos: int
    batch: int
    world: int
    seed: int

    @property
    def steps(self) -> int:
        """Number of steps of an epoch."""
        return self.photos // self.batch

    def order(self, epoch: int) -> Indices:
        """Return the epoch's permutation of all photos."""
        generator = np.random.Generator(np.random.Philox(key=[self.seed, epoch]))
        return generator.permutation(self.photos).astype(np.int64)

    def batches(self, epoch: int, rank: int, start: int = 0) -> list[Indices]:
        """Return a rank's part of each global batch of an epoch, from step `start` on."""
        order = self.order(epoch)
        return [
            order[step * self.batch : (step + 1) * self.batch][rank :: self.world] for step in range(start, self.steps)
        ]


def plan(photos: int, batch: int, world: int, seed: int) -> Plan:
    """Fit the global batch to the data: a batch larger than the data becomes all of it.

    Raises:
        JobError: less than two photos a process in a batch.
    """
    size = min(batch, photos)
    if size < MIN_LOCAL * world:
        raise JobError(
            f"{photos} training photos in batches of {batch} are less than {MIN_LOCAL} for each of {world} processes: "
            "raise batch_size, add photos or use fewer instances"
        )
    return Plan(photos, size, world, seed)


def shard(photos: int, batch: int, rank: int, world: int) -> list[Indices]:
    """Return a rank's photos for validation, in batches: over all ranks each photo exactly once, none padded."""
    mine = np.arange(rank, photos, world, dtype=np.int64)
    return [mine[at : at + batch] for at in range(0, len(mine), batch)]
