"""The ASGI application: /ping, /invocations and, on its own port, /metrics."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from time import perf_counter
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST

from containers.inference.body import Body, Budget, Message, Receive
from containers.inference.journal import Exchange, Journal
from containers.inference.model import Model
from containers.inference.payload import kind_of
from containers.inference.refusals import GoneError, RefusedError, busy
from containers.inference.workers import Workers

CLIENT_GONE = 499  # as nginx logs it; nobody receives it

Send = Callable[[Message], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]

_JSON = b"application/json"
_log = logging.getLogger("inference")


class App:
    """Answers requests; without a `model` it says that it is not ready, `draining` that it stops.

    Args:
        journal: where requests are counted and logged.
        workers: what decodes and infers.
        metrics_port: requests that come in there see metrics, all others the endpoint.
    """

    def __init__(self, journal: Journal, workers: Workers, metrics_port: int) -> None:
        self.journal = journal
        self.model: Model | None = None
        self.draining = False
        self._workers = workers
        self._budget = Budget()
        self._metrics_port = metrics_port

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request. Whatever happens in it, the server lives on."""
        if scope["server"][1] == self._metrics_port:
            await self._metrics(scope, send)
            return
        started = perf_counter()
        exchange = Exchange(scope["method"], scope["path"])
        request = dict(scope["headers"])
        headers: Headers = ()
        value: Any = None
        try:
            value = await self._answer(request, receive, exchange)
        except RefusedError as refusal:
            exchange.status, exchange.error, headers = refusal.status, str(refusal), refusal.headers
        except GoneError:  # or sent away by the protocol, which has answered then
            exchange.status, exchange.error = scope.get("refused", (CLIENT_GONE, "the client closed the connection"))
        except asyncio.CancelledError:  # nothing cancels but the end of draining, and an answer still goes out then
            exchange.status, exchange.error = 503, "the server stops"
        except Exception:  # MemoryError among them
            exchange.status, exchange.error = 500, "internal error"
            _log.exception("request failed")
        if exchange.error:
            value = {"error": exchange.error}
            if (
                b"expect" in request or b"upgrade" in request
            ):  # a body that is held back, or was not parsed, would follow
                headers += ((b"connection", b"close"),)
        await respond(send, exchange.status, _JSON, json.dumps(value).encode(), headers)
        exchange.seconds = perf_counter() - started
        self.journal.write(exchange)

    async def _answer(self, request: dict[bytes, bytes], receive: Receive, exchange: Exchange) -> Any:  # noqa: ANN401
        if exchange.path == "/invocations":
            _allow(exchange.method, "POST")
            return await self._invocation(request, receive, exchange)
        if exchange.path == "/ping":
            _allow(exchange.method, "GET", "HEAD")
            return {"model_version": self._ready().version}
        raise RefusedError(404, "there is only GET /ping and POST /invocations")

    def _ready(self) -> Model:
        if self.draining:
            raise busy("the server stops")
        if self.model is None:
            raise busy("the model is not ready")
        return self.model

    async def _invocation(self, request: dict[bytes, bytes], receive: Receive, exchange: Exchange) -> Any:  # noqa: ANN401
        model = self._ready()
        if b"upgrade" in request:  # the parser hands over what follows the head, to whoever speaks the other protocol
            raise RefusedError(400, "the connection stays HTTP/1.1: leave out Upgrade")
        content_type = request.get(b"content-type", b"")
        kind = kind_of(content_type)
        if request.get(b"content-encoding", b"identity").strip().lower() != b"identity":
            raise RefusedError(415, "the body must come without a Content-Encoding")
        with self.journal.in_flight.track_inprogress(), Body(self._budget, receive) as body:
            try:
                content = await body.read(int(request.get(b"content-length", b"0")))
            finally:
                exchange.bytes = body.size
            answer = await self._workers.answer(model, kind, content_type, content)
        answers = answer if isinstance(answer, list) else [answer]
        exchange.photos = len(answers)
        self.journal.answered(answers)
        return answer

    async def _metrics(self, scope: Message, send: Send) -> None:
        if scope["method"] == "GET" and scope["path"] == "/metrics":
            await respond(send, 200, CONTENT_TYPE_LATEST.encode(), self.journal.metrics())
        else:
            await respond(send, 404, _JSON, b'{"error": "there is only GET /metrics"}')


def _allow(method: str, *methods: str) -> None:
    if method not in methods:
        allowed = ", ".join(methods)
        raise RefusedError(405, f"the method must be {methods[0]}", (b"allow", allowed.encode()))


async def respond(send: Send, status: int, content_type: bytes, body: bytes, headers: Headers = ()) -> None:
    """Send a whole response. To a client that is gone nothing is sent, and no error raised."""
    head = [(b"content-type", content_type), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
