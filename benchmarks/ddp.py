"""Distributed training on one machine: two ranks of one thread beside one process of two, with the same global batch.

Both are training jobs as the service starts them, through the launcher: two hosts on loopback that share the cores
against one host that has them all. What is lost is the exchange of gradients.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks import jobs
from benchmarks.figures import Figure, compared, show
from benchmarks.machine import cores
from benchmarks.photos import kind, photos_folder
from benchmarks.training import BATCH, PARAMETERS, SIZE, write_channels

HOSTS = 2
BAR = 0.9


def measure() -> list[Figure]:
    """Return the speed of two hosts beside that of one."""
    folder = photos_folder()
    with tempfile.TemporaryDirectory() as name:
        channels = Path(name, "channels")
        write_channels(folder, channels)
        one = jobs.train(Path(name, "one"), channels, PARAMETERS)
        two = jobs.train(Path(name, "two"), channels, PARAMETERS, HOSTS)
    threads = max(1, cores() // HOSTS)
    what = f"DDP, {HOSTS} ranks x {threads} thread, {SIZE} pixels, global batch {BATCH}, {kind(folder)}"
    return [compared(what, two, one, "images/s", f"1 process x {cores()} threads", BAR)]


if __name__ == "__main__":
    show(measure())
