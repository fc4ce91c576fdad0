"""What the endpoint answers, with the load generator on the same cores, against the notebook's handler and LitServe.

`python -m benchmarks.endpoint`. One photo of about 59 KB a request, over keep-alive connections: `BINCOUNT_PHOTOS`
names a folder to take it from, else it is drawn. `BINCOUNT_MODEL` names an unpacked artifact to serve, else one is
built at the size of the profile `local`. The limit is the model alone, which a thread a core runs on a photo that is
decoded.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import serving
from benchmarks.artifacts import artifact
from benchmarks.figures import Figure, compared, figures, show
from benchmarks.load import Load, put_load
from benchmarks.machine import ROOT, cores

ROUNDS = 3
SECONDS = 4.0  # a load, after its warm-up
SLOW_SECONDS = 8.0  # of the notebook's handler, so that its p99 is of more than a hundred answers
CONNECTIONS = 8


@dataclass(frozen=True)
class Served:
    """What a server does under many connections, and with one."""

    rate: float
    median: float
    p99: float


def under_load(server: Callable[[], AbstractContextManager[int]], photo: Path, seconds: float) -> tuple[Load, Load]:
    """Start a server and return what it does under many connections, and with one."""
    with server() as port:
        return put_load(port, photo, CONNECTIONS, seconds), put_load(port, photo, 1, seconds)


def summary(loads: list[tuple[Load, Load]]) -> Served:
    """Return the medians of several rounds."""
    return Served(
        statistics.median(many.rate for many, _ in loads),
        statistics.median(one.median for _, one in loads),
        statistics.median(one.p99 for _, one in loads),
    )


def bare(model: Path, photo: Path, seconds: float) -> float:
    """Return how many decoded photos a second the model alone takes, run by a thread a core."""
    from steps.common.predictor import Predictor

    predictor = Predictor(model, threads=1)
    batch = predictor.prepare(photo.read_bytes())[None]

    def run(until: float) -> int:
        done = 0
        while time.perf_counter() < until:
            predictor.logits(batch)
            done += 1
        return done

    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(run, [time.perf_counter() + 1.0] * cores()))  # a warm-up
        begun = time.perf_counter()
        done = sum(pool.map(run, [begun + seconds] * cores()))
        return done / (time.perf_counter() - begun)


def bare_alone(model: Path, photo: Path) -> float:
    """Return the same, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.endpoint", "bare", str(model), str(photo)]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout)


def measure() -> list[Figure]:
    """Let the servers and the model take turns, and return their medians."""
    model, photo = artifact(), serving.photo()
    ours, notebook, litserve, limit = [], [], [], []
    for _ in range(ROUNDS):
        ours.append(under_load(lambda: serving.endpoint(model), photo, SECONDS))
        notebook.append(under_load(serving.notebook, photo, SLOW_SECONDS))
        litserve.append(under_load(lambda: serving.litserve(model), photo, SECONDS))
        limit.append(bare_alone(model, photo))
    return rows(summary(ours), summary(notebook), summary(litserve), statistics.median(limit))


def rows(ours: Served, notebook: Served, litserve: Served, limit: float) -> list[Figure]:
    """Return the figures of what was measured."""
    peer, many, one = "notebook's handler", f"Endpoint, {CONNECTIONS} connections", "Endpoint, 1 connection"
    return [
        compared(many, ours.rate, notebook.rate, "requests/s", peer, 13),
        quicker(f"{one}, median", ours.median, notebook.median, peer, 10),
        quicker(f"{one}, p99", ours.p99, notebook.p99, peer, 7),
        compared(many, ours.rate, litserve.rate, "requests/s", "LitServe, 2 workers", 1.3),
        quicker(f"{one}, median", ours.median, litserve.median, "LitServe, 2 workers", None),
        compared(many, ours.rate, limit, "requests/s", "the model alone, a thread a core", 0.7),
    ]


def quicker(what: str, ours: float, peer: float, named: str, bar: float | None) -> Figure:
    """Return a row of two times in milliseconds; the ratio says how many times shorter ours is."""
    ratio = peer / ours
    asked = "" if bar is None else f"at least {bar:g}x"
    met = None if bar is None else ratio >= bar
    return Figure(what, f"{figures(ours)} ms", f"{named}: {figures(peer)} ms", ratio, asked, met)


if __name__ == "__main__":
    if sys.argv[1:2] == ["bare"]:
        print(bare(Path(sys.argv[2]), Path(sys.argv[3]), SECONDS))
    else:
        show(measure())
