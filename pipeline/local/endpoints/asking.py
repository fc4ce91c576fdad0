"""One request to a server, as the service makes it."""

from __future__ import annotations

import contextlib
import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.local.endpoints.servers import LOOPBACK

INVOCATION_SECONDS = 60.0  # as the service gives
MAX_BODY_BYTES = 6 * 2**20  # of a request, and of an answer
_CHUNK = 1 << 16


class NoServerError(Exception):
    """Nothing listens at the server's port (any more)."""


class NoAnswerError(Exception):
    """The server took the connection and closed it without an answer."""


@dataclass(frozen=True)
class Reply:
    """What a server answered; `status` 0 where it did not, within the time or the size it has."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    microseconds: int


def ask(server: Mapping[str, Any], body: bytes, headers: Mapping[str, str]) -> Reply:
    """Post to a server's /invocations, on loopback whatever proxies there are.

    Raises NoServerError, NoAnswerError, and ValueError for a header that HTTP cannot carry.
    """
    begun = time.monotonic()
    connection = http.client.HTTPConnection(LOOPBACK, server["port"], timeout=INVOCATION_SECONDS)
    try:
        connection.connect()  # not below: after a reset here there is no answer to wait for
        # A server may answer, and close, before it has read everything: its answer is what counts.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.request("POST", "/invocations", body, dict(headers))
        status, answered, content = _answer(connection, begun + INVOCATION_SECONDS)
    except TimeoutError:
        status, answered, content = (
            0,
            {},
            b"Your invocation timed out while waiting for a response from container primary.",
        )
    except ConnectionRefusedError as error:
        raise NoServerError(f"{error}") from None
    except (ConnectionError, http.client.HTTPException) as error:
        raise NoAnswerError(f"{type(error).__name__}: {error}") from None
    finally:
        connection.close()
    return Reply(status, answered, content, int((time.monotonic() - begun) * 1e6))


def _answer(connection: http.client.HTTPConnection, deadline: float) -> tuple[int, dict[str, str], bytes]:
    response = connection.getresponse()
    content = bytearray()
    while chunk := response.read1(_CHUNK):
        content += chunk
        if len(content) > MAX_BODY_BYTES:
            return 0, {}, b"The response of container primary is larger than 6 MiB."
        if time.monotonic() > deadline:
            raise TimeoutError
    return response.status, {name.lower(): value for name, value in response.headers.items()}, bytes(content)
