"""Bodies from the network, within the limits of one and of all together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from containers.inference.refusals import GoneError, RefusedError, busy

MAX_BYTES = 6 * 2**20  # InvokeEndpoint's own limit
MAX_BYTES_IN_FLIGHT = 128 * 2**20

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

_TOO_LONG = f"the body is over {MAX_BYTES} bytes"


class Budget:
    """The memory that the bodies of all requests share."""

    def __init__(self) -> None:
        self._held = 0

    def take(self, size: int) -> None:
        """Take memory for some more bytes. They are taken even when it raises: who takes gives back, always.

        Raises:
            RefusedError: 503, all of it is taken.
        """
        self._held += size
        if self._held > MAX_BYTES_IN_FLIGHT:
            raise busy("too much is being uploaded at once")

    def give_back(self, size: int) -> None:
        """Return what was taken."""
        self._held -= size


class Body:
    """The body of one request, as it arrives. A context: what it took of the budget ends with it."""

    def __init__(self, budget: Budget, receive: Receive) -> None:
        self.size = 0
        self._budget = budget
        self._receive = receive

    def __enter__(self) -> Body:
        return self

    def __exit__(self, *_: object) -> None:
        self._budget.give_back(self.size)

    async def read(self, announced: int) -> bytes:
        """Return all of it. `announced`, the Content-Length or 0, only serves to refuse early.

        Raises:
            RefusedError: 413 over MAX_BYTES, 400 empty, 503 where the budget is spent.
            GoneError: the connection ended before the body did.
        """
        if announced > MAX_BYTES:
            raise RefusedError(413, _TOO_LONG)
        pieces: list[bytes] = []
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise GoneError
            pieces.append(message["body"])
            more = message["more_body"]
            self.size += len(pieces[-1])
            self._budget.take(len(pieces[-1]))
            if self.size > MAX_BYTES:
                raise RefusedError(413, _TOO_LONG)
        if not self.size:
            raise RefusedError(400, "the body is empty")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)
