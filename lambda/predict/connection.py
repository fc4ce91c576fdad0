"""A connection to an address that was checked, with a deadline over everything that happens on it."""

from __future__ import annotations

import io
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from functools import cache
from http.client import HTTPConnection, HTTPResponse
from typing import TYPE_CHECKING, Any, TypeVar, cast

from predict.urls import Url

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T = TypeVar("T")

# So that one address that swallows packets leaves time for the others.
_CONNECT_SECONDS = 3.0
_HEADERS = {"User-Agent": "bincount", "Accept": "image/*", "Connection": "close"}


class Deadline:
    """A moment after which nothing goes on."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left, more than 0. Raises TimeoutError."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline has passed")
        return left

    def within(self, function: Callable[[], T]) -> T:
        """Call what cannot be interrupted, and wait for it until the deadline only. Raises TimeoutError, its errors."""
        results: queue.SimpleQueue[tuple[T | None, Exception | None]] = queue.SimpleQueue()

        def run() -> None:
            try:
                results.put((function(), None))
            except Exception as error:  # raised again where it is waited for
                results.put((None, error))

        threading.Thread(target=run, daemon=True).start()
        try:
            result, error = results.get(timeout=self.left())
        except queue.Empty:
            raise TimeoutError("the deadline has passed") from None
        if error is not None:
            raise error
        return cast("T", result)


def resolve(host: str, port: int) -> list[str]:
    """Return every address of a host, as the resolver writes them. Raises OSError, UnicodeError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


@cache
def trust() -> ssl.SSLContext:
    """Return the context that checks certificates and host names; reading the authorities takes its time."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def dial(url: Url, addresses: Sequence[str], deadline: Deadline, context: ssl.SSLContext) -> socket.socket:
    """Connect to the first of the addresses that answers; the certificate must be the host's, not the address's.

    Raises:
        OSError: none answers, or the certificate is not valid (ssl.SSLError); TimeoutError among them.
    """
    plain = _connected(addresses, url.port, deadline)
    if url.scheme == "http":
        return plain
    try:
        plain.settimeout(deadline.left())
        return context.wrap_socket(plain, server_hostname=url.host)
    except BaseException:
        plain.close()
        raise


def _connected(addresses: Sequence[str], port: int, deadline: Deadline) -> socket.socket:
    failure = OSError("there is no address")
    for address in addresses:
        try:
            # An address, so nothing is resolved again: what was checked is what is connected to.
            return socket.create_connection((address, port), min(_CONNECT_SECONDS, deadline.left()))
        except OSError as error:
            failure = error
    raise failure


def get(connected: socket.socket, url: Url, deadline: Deadline) -> HTTPResponse:
    """Ask for the URL and return the answer when its headers are there. Raises OSError, http.client.HTTPException."""
    connection = HTTPConnection(url.host, url.port)  # knows of no proxy, cookie or redirect
    connection.sock = cast("Any", _Timed(connected, deadline))
    connection.request("GET", url.target, headers={"Host": url.authority, **_HEADERS})
    return connection.getresponse()


class _Timed:
    """What http.client uses of a socket. A socket's own time-out begins anew with every byte that drips in."""

    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket, self._deadline = connected, deadline

    def sendall(self, data: bytes) -> None:
        self._socket.settimeout(self._deadline.left())
        self._socket.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._socket, self._deadline))

    def close(self) -> None:
        """Leave the socket open: who dialled closes it, after the body is read."""


class _Reader(io.RawIOBase):
    def __init__(self, connected: socket.socket, deadline: Deadline) -> None:
        self._socket, self._deadline = connected, deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        self._socket.settimeout(self._deadline.left())
        return self._socket.recv_into(buffer)
