"""The servers of the serving benchmarks, each in a process group of its own, and the photo that they are sent."""

from __future__ import annotations

import http.client
import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchmarks.machine import ROOT, cores

PHOTO_BYTES = 59_000  # the median of the photos of the Amazon Bin Image Dataset
START_SECONDS = 60.0


def photo() -> Path:
    """Return a photo of about the usual size: the nearest of those in `BINCOUNT_PHOTOS`, else a drawn one."""
    given = os.environ.get("BINCOUNT_PHOTOS")
    files = [path for path in Path(given).rglob("*.jpg") if path.is_file()] if given else []
    best = min(files, key=_distance, default=None)
    return best if best and _distance(best) < PHOTO_BYTES / 10 else _drawn()


def _distance(path: Path) -> int:
    return abs(path.stat().st_size - PHOTO_BYTES)


def _drawn() -> Path:
    from pipeline.data.bins import draw_bin, random_bin
    from pipeline.data.items import seeded

    picture = draw_bin(random_bin(seeded("serving"), 3), 1, 500)[0]
    files = []
    for quality in range(80, 100):
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality)
        files.append(file.getvalue())
    path = ROOT / "build" / "benchmark-photo.jpg"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(min(files, key=lambda file: abs(len(file) - PHOTO_BYTES)))
    return path


@contextmanager
def endpoint(model: Path) -> Iterator[int]:
    """Run our server on an artifact, started as a local endpoint's is, and give its port."""
    from pipeline.local.runner import Launch, ProcessRunner

    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        (base / "model").symlink_to(model)
        port = free_port()
        environment = {"SAGEMAKER_BIND_TO_PORT": f"{port}", "SERVER_HOST": "127.0.0.1", "METRICS_PORT": "0"}
        launch = Launch(
            "1", base, "bincount-inference", None, ("serve",), environment, cores(), base / "log", serves=True
        )
        with _stopped(ProcessRunner().start(launch), port):
            yield port


@contextmanager
def notebook() -> Iterator[int]:
    """Run the notebook's handler behind one uvicorn process, and give its port."""
    port = free_port()
    application = "benchmarks.notebook_server:app"
    options = ["--host", "127.0.0.1", "--port", f"{port}", "--log-level", "error", "--no-access-log"]
    with _stopped(_started("uvicorn", application, *options), port):
        yield port


@contextmanager
def litserve(model: Path) -> Iterator[int]:
    """Run LitServe on an artifact, and give its port."""
    port = free_port()
    with _stopped(_started("benchmarks.litserve_server", str(model), f"{port}"), port):
        yield port


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        number: int = listener.getsockname()[1]
    return number


def _started(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=ROOT, start_new_session=True)


@contextmanager
def _stopped(process: subprocess.Popen[bytes], port: int) -> Iterator[None]:
    """Wait until the server answers /ping; at the end stop it and whatever it has started."""
    try:
        deadline = time.monotonic() + START_SECONDS
        while not _pings(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{process.args!r} does not answer on port {port}")
            time.sleep(0.1)
        yield
    finally:
        process.terminate()  # it stops what it has started: told of it themselves, LitServe's workers end in tracebacks
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)
        with suppress(ProcessLookupError):  # whatever is left
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _pings(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/ping")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
