"""The server's life: listen, load the model, answer, drain."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import socket
import sys
from types import FrameType
from typing import cast

import uvicorn
import uvloop

from containers.inference.app import App
from containers.inference.journal import Journal, log_to_stdout
from containers.inference.model import Model
from containers.inference.protocol import LimitedProtocol
from containers.inference.settings import Settings, SettingsError
from containers.inference.workers import Workers
from steps.common.artifact import one_line

DRAIN_SECONDS = 25  # the service sends SIGKILL 30 seconds after SIGTERM
KEEP_ALIVE_SECONDS = 75  # longer than a load balancer keeps an idle connection, so that it is the one that closes
MAPPED_BYTES = 4 * 2**20  # blocks of photos of a megapixel and more
_M_MMAP_THRESHOLD = -3  # malloc.h of glibc

_log = logging.getLogger("inference")


class _Server(uvicorn.Server):
    """uvicorn's server, which tells the application when it stops, and counts a signal as a proper end."""

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - the signature is uvicorn's
        """Stop accepting and drain. The signal is not raised again afterwards: the process ends with 0."""
        cast("App", self.config.app).draining = True
        self.should_exit = True


def serve(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT and return the process's exit code: 1 where the model cannot be served.

    Raises:
        SettingsError: a port is taken, or the host is none of this machine.
    """
    sockets = [_listen(settings.host, port) for port in (settings.port, settings.metrics_port)]
    log_to_stdout()
    _give_memory_back()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(settings, sockets))


def _give_memory_back() -> None:
    """Have the system's allocator return large blocks when they are freed, where it is glibc's.

    Left to itself it keeps them after the first few, in a heap for each thread: 830 MB instead of 20 MB, after PNGs of
    49 million pixels on two threads.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_MMAP_THRESHOLD, MAPPED_BYTES)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        reason = str(error.strerror).split(" (while")[0]  # Python appends the address
        raise SettingsError(f"cannot listen on {host}:{port}: {reason}") from None


async def _serve(settings: Settings, sockets: list[socket.socket]) -> int:
    port, metrics_port = (listener.getsockname()[1] for listener in sockets)
    workers = Workers(settings.threads)
    app = App(Journal(), workers, metrics_port)
    server = _Server(_config(app))
    serving = asyncio.create_task(server.serve(sockets))
    _log.info("listening", extra={"fields": {"port": port, "metrics_port": metrics_port, "threads": settings.threads}})
    failure = ""
    try:
        await _make_ready(app, workers, settings)
    except Exception as error:  # whatever it is, there is no model to serve
        failure = one_line(error)
        server.should_exit = True
    await serving
    workers.pool.shutdown(wait=False, cancel_futures=True)  # the interpreter waits, once the last answers are out
    if failure:
        print(f"error: {failure}", file=sys.stderr)
    return 1 if failure else 0


async def _make_ready(app: App, workers: Workers, settings: Settings) -> None:
    """Load the model and have it answer a photo, while /ping says that it is not ready."""
    loop = asyncio.get_running_loop()
    model = await loop.run_in_executor(workers.pool, Model, settings.model, settings.version)
    await loop.run_in_executor(workers.pool, model.warm_up)
    gc.collect()
    gc.freeze()  # what is here now stays: no request has to wait while it is gone through again
    spec = model.predictor.spec
    app.journal.model_ready(model.version, backbone=spec.backbone, image_size=str(spec.image_size))
    app.model = model
    _log.info("ready", extra={"fields": {"model_version": model.version, "backbone": spec.backbone}})


def _config(app: App) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=LimitedProtocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level=logging.ERROR,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
