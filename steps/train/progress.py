"""What the log says while the epochs run."""

from __future__ import annotations

import time
from collections.abc import Mapping

EVERY = 5.0  # seconds between lines


def say(text: str) -> None:
    """Print a line at once: the log is watched."""
    print(text, flush=True)


def epoch_line(values: Mapping[str, float]) -> str:
    """Return the line that the job's MetricDefinitions read: `epoch=3 train_loss=0.91234 ...`, numbers only."""
    return " ".join(
        f"{name}={value:.5f}" if name != "epoch" else f"epoch={value:.0f}" for name, value in values.items()
    )


class Meter:
    """Speed and remaining time of one epoch.

    Args:
        epoch: from 0, of `epochs`.
        first: the step that this process starts the epoch with, of `steps`.
        batch: photos a step, of all ranks.
        quiet: says nothing; for all ranks but one.
    """

    def __init__(self, epoch: int, epochs: int, first: int, steps: int, batch: int, *, quiet: bool) -> None:
        self._epoch, self._epochs, self._first, self._steps, self._batch = epoch, epochs, first, steps, batch
        self._quiet = quiet
        self._start = self._told = time.monotonic()

    def rate(self, step: int) -> float:
        """Return the photos a second after `step` steps of the epoch."""
        return (step - self._first) * self._batch / max(1e-9, time.monotonic() - self._start)

    def due(self) -> bool:
        """Return whether it is time for a line; asked before the loss is fetched, which makes a GPU wait."""
        return not self._quiet and time.monotonic() - self._told >= EVERY

    def tell(self, step: int, loss: float) -> None:
        """Print how far the epoch is; the names carry no `=`, so that no metric is read from here."""
        self._told = time.monotonic()
        rate = self.rate(step)
        left = ((self._epochs - self._epoch) * self._steps - step) * self._batch / max(rate, 1e-9)
        say(
            f"epoch {self._epoch + 1}/{self._epochs}, step {step}/{self._steps}: loss {loss:.4f}, "
            f"{rate:.0f} images/s, at most {left:.0f} s of training left"
        )
