"""What the endpoint answers, with the load generator on the same cores, against the notebook's handler and LitServe.

`python -m benchmarks.endpoint`. One photo of about 59 KB a request, over keep-alive connections: `BINCOUNT_PHOTOS`
names a folder to take it from, else it is drawn. `BINCOUNT_MODEL` names an unpacked artifact to serve, else one is
built at the size of the profile `local`. The limit is the model alone, which a thread a core runs on a photo that is
decoded: in the engine that serves it, and in ONNX Runtime.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
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


@dataclass(frozen=True)
class Limit:
    """What a server of this model cannot exceed: photos a second through its engine, and through ONNX Runtime in fp32.

    Both on a photo that is decoded, by a thread a core. `decoding` is what that takes of a core, in milliseconds.
    """

    engine: str
    rate: float
    reference: float
    decoding: float

    def share(self) -> float:
        """Return which part of `rate` is left with decoding, were there no server and no network."""
        model = 1000 * cores() / self.rate
        return model / (model + self.decoding)


def limit(model: Path, photo: Path, seconds: float) -> Limit:
    """Measure the model alone, in this process."""
    from steps.common.engines import open_graph
    from steps.common.predictor import Predictor

    predictor, data = Predictor(model, threads=1, callers=cores()), photo.read_bytes()
    size, batch = predictor.spec.image_size, predictor.prepare(data)[None]
    reference = open_graph(model / "model.onnx", "onnxruntime", size, 1)
    return Limit(
        predictor.spec.engine,
        runs(lambda: predictor.logits(batch), seconds),
        runs(lambda: reference(batch), seconds),
        1000 * cores() / runs(lambda: predictor.prepare(data), seconds),
    )


def runs(work: Callable[[], object], seconds: float) -> float:
    """Return how often a second something is done by a thread a core, after a warm-up."""

    def repeat(until: float) -> int:
        done = 0
        while time.perf_counter() < until:
            work()
            done += 1
        return done

    with ThreadPoolExecutor(cores()) as pool:
        list(pool.map(repeat, [time.perf_counter() + 1.0] * cores()))
        begun = time.perf_counter()
        done = sum(pool.map(repeat, [begun + seconds] * cores()))
        return done / (time.perf_counter() - begun)


def limit_alone(model: Path, photo: Path) -> Limit:
    """Return the same, measured in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.endpoint", "limit", str(model), str(photo)]
    return Limit(**json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT).stdout))


def measure() -> list[Figure]:
    """Let the servers and the model take turns, and return their medians."""
    model, photo = artifact(), serving.photo()
    ours, notebook, litserve, limits = [], [], [], []
    for _ in range(ROUNDS):
        ours.append(under_load(lambda: serving.endpoint(model), photo, SECONDS))
        notebook.append(under_load(serving.notebook, photo, SLOW_SECONDS))
        litserve.append(under_load(lambda: serving.litserve(model), photo, SECONDS))
        limits.append(limit_alone(model, photo))
    middle = sorted(limits, key=lambda one: one.rate)[ROUNDS // 2]
    return rows(summary(ours), summary(notebook), summary(litserve), middle)


def rows(ours: Served, notebook: Served, litserve: Served, limit: Limit) -> list[Figure]:
    """Return the figures of what was measured."""
    peer, many, one = "notebook's handler", f"Endpoint, {CONNECTIONS} connections", "Endpoint, 1 connection"
    note = (
        f"decoding takes {figures(limit.decoding)} ms of a core, the model {figures(1000 * cores() / limit.rate)} ms: "
        f"without a server or a network it would be {figures(limit.share())}x"
    )
    return [
        compared(many, ours.rate, notebook.rate, "requests/s", peer, 13),
        quicker(f"{one}, median", ours.median, notebook.median, peer, 10),
        quicker(f"{one}, p99", ours.p99, notebook.p99, peer, 7),
        compared(many, ours.rate, litserve.rate, "requests/s", "LitServe, 2 workers", 1.3),
        quicker(f"{one}, median", ours.median, litserve.median, "LitServe, 2 workers", None),
        compared(many, ours.rate, limit.reference, "requests/s", "bare session.run of ONNX Runtime, all cores", 0.7),
        compared(many, ours.rate, limit.rate, "requests/s", f"bare runs of {limit.engine}, all cores", 0.7, note),
    ]


def quicker(what: str, ours: float, peer: float, named: str, bar: float | None) -> Figure:
    """Return a row of two times in milliseconds; the ratio says how many times shorter ours is."""
    ratio = peer / ours
    asked = "" if bar is None else f"at least {bar:g}x"
    met = None if bar is None else ratio >= bar
    return Figure(what, f"{figures(ours)} ms", f"{named}: {figures(peer)} ms", ratio, asked, met)


if __name__ == "__main__":
    if sys.argv[1:2] == ["limit"]:
        print(json.dumps(asdict(limit(Path(sys.argv[2]), Path(sys.argv[3]), SECONDS))))
    else:
        show(measure())
