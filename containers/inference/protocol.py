"""Limits on HTTP itself, which uvicorn leaves to a proxy: head size, slow clients, connections; its errors as JSON."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from containers.inference.app import App
from containers.inference.journal import Exchange

MAX_HEAD_BYTES = 32 * 2**10
MAX_MESSAGE_BYTES = 64 * 2**20  # what is read of one message, the part after a refusal and chunks' frames included
MAX_CONNECTIONS = 512
HEAD_SECONDS = 10.0
BODY_SECONDS = 30.0
WRITE_SECONDS = 10.0  # answers are small: who does not take one for that long takes none


class LimitedProtocol(HttpToolsProtocol):
    """One connection. A message that is too long or too slow is answered with an error and the connection closed."""

    _timer: asyncio.TimerHandle | None = None
    _write_timer: asyncio.TimerHandle | None = None
    _stage = "idle"  # of the message that is arriving: idle, head or body
    _timed_stage = ""
    _begun = 0  # messages in the piece that is being parsed
    _head = 0
    _received = 0
    _refusal = (400, "this is not HTTP/1.1")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Watch over a new connection, or send it away."""
        super().connection_made(cast("asyncio.Transport", transport))
        if len(self.connections) > MAX_CONNECTIONS:
            self._refuse(503, "too many connections")
        else:
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._unwatch()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came; then see whether a message is left unfinished, and for how long already."""
        alone = self._stage == "idle"
        self._begun = 0
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._stage == "idle" and self.cycle is not None and not self.cycle.response_complete:
            self._unwatch()
            return
        self._watch()
        if self._begun <= alone:  # else a part of this piece is another message's
            self._received += len(data)
        if self._stage == "head" and self._received > MAX_HEAD_BYTES:
            self._refuse(431, f"the head of the request is over {MAX_HEAD_BYTES} bytes")
        elif self._received > MAX_MESSAGE_BYTES:
            self.transport.abort()

    def on_message_begin(self) -> None:
        """Count from here."""
        super().on_message_begin()
        self._stage = "head"
        self._begun += 1
        self._head = self._received = 0

    def on_url(self, url: bytes) -> None:
        """Count the target."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header, or a trailer."""
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the request."""
        super().on_headers_complete()
        self._stage = "body"

    def on_message_complete(self) -> None:
        """Rest until the next message."""
        self._stage = "idle"
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - the signature is uvicorn's
        """Answer what cannot be parsed."""
        self._refuse(*self._refusal)

    def pause_writing(self) -> None:
        """Give a client that does not read a last chance."""
        super().pause_writing()
        self._write_timer = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on."""
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        super().resume_writing()

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > MAX_HEAD_BYTES:
            self._refusal = (431, f"the head of the request is over {MAX_HEAD_BYTES} bytes")
            raise ValueError  # the parser stops, and data_received refuses

    def _watch(self) -> None:
        """Let the message that is arriving, or due, not take longer than it may. Later bytes win no time."""
        if self._timer is not None and self._timed_stage == self._stage:
            return
        self._unwatch()
        self._timed_stage = self._stage
        seconds = BODY_SECONDS if self._stage == "body" else HEAD_SECONDS
        self._timer = self.loop.call_later(seconds, self._late)

    def _unwatch(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        if self._stage == "idle":
            self.transport.close()  # nothing was asked
        else:
            self._refuse(408, f"the {self._stage} of the request took too long")

    def _refuse(self, status: int, message: str) -> None:
        """Answer in place of the application, unless it has answered already, and close."""
        if self._stage == "body" and self.cycle.response_started:
            self.transport.close()
            return
        if self._stage == "body":  # the application waits for the rest: it learns why none comes, and logs it
            cast("dict[str, Any]", self.cycle.scope)["refused"] = (status, message)
        else:
            cast("App", self.config.app).journal.write(Exchange("", "", status, error=message))
        body = json.dumps({"error": message}).encode()
        head = b"content-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(body)
        self.transport.write(STATUS_LINE[status] + head + body)
        self.transport.close()
