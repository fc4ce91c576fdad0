"""A photo from a URL that a stranger names: only public hosts, each step checked, a limit on time and on bytes."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse

from predict import connection
from predict.addresses import is_public
from predict.connection import Deadline
from predict.errors import RefusalError, refused_host
from predict.limits import FETCH_SECONDS, LARGEST_PHOTO, too_large
from predict.urls import PORTS, Url, follow, parse

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3
_CHUNK = 65_536


@dataclass(frozen=True)
class Rules:
    """What may be fetched, and how: all but the schemes stays as it is outside tests."""

    schemes: Collection[str]
    ports: Collection[int] = frozenset(PORTS.values())
    seconds: float = FETCH_SECONDS
    resolve: Callable[[str, int], Sequence[str]] = connection.resolve
    is_allowed: Callable[[str], bool] = is_public
    trust: Callable[[], ssl.SSLContext] = connection.trust


def fetch(text: str, rules: Rules) -> bytes:
    """Return what lies at a URL, as it was sent: nothing is decompressed.

    Raises:
        RefusalError: 400, it is no URL of an allowed scheme; 403, its host or one that it redirects to may not be
            fetched from, or does not exist; 413, too many bytes; 502, the server cannot be reached or does not answer
            with a file; 504, it took too long.
    """
    deadline = Deadline(rules.seconds)
    url = parse(text, rules.schemes)
    try:
        for _ in range(1 + _MOST_REDIRECTS):
            answer = _visit(url, rules, deadline)
            if isinstance(answer, bytes):
                return answer
            url = answer
    except TimeoutError as error:
        raise RefusalError(504, "fetching image_url took too long") from error
    except ssl.SSLError as error:
        raise RefusalError(502, "the server of image_url has no valid certificate, or does not speak TLS") from error
    except (OSError, HTTPException, ValueError) as error:
        raise RefusalError(502, "image_url cannot be fetched") from error
    raise RefusalError(502, f"image_url redirects more than {_MOST_REDIRECTS} times")


def _visit(url: Url, rules: Rules, deadline: Deadline) -> bytes | Url:
    """Return the bytes at the URL, or where it redirects to."""
    addresses = _checked(url, rules, deadline)
    with connection.dial(url, addresses, deadline, rules.trust()) as connected:
        response = connection.get(connected, url, deadline)
        if response.status in _REDIRECTS:
            return _next(url, response.headers.get("Location"), rules)
        if response.status != 200:
            raise RefusalError(502, f"the server of image_url answers with status {response.status}")
        return _read(response)


def _checked(url: Url, rules: Rules, deadline: Deadline) -> Sequence[str]:
    """Return the host's addresses, asked for once. Raises RefusalError if any of them, or the port, is not allowed."""
    if url.port not in rules.ports:
        raise refused_host()
    try:
        addresses = [url.host] if url.is_address else deadline.within(lambda: rules.resolve(url.host, url.port))
    except TimeoutError:
        raise
    except (OSError, UnicodeError) as error:
        raise refused_host() from error
    if not addresses or not all(map(rules.is_allowed, addresses)):
        raise refused_host()
    return addresses


def _next(url: Url, location: str | None, rules: Rules) -> Url:
    if not location:
        raise RefusalError(502, "the server of image_url redirects to nowhere")
    try:
        return follow(url, location, rules.schemes)
    except RefusalError as refusal:
        raise refused_host() from refusal


def _read(response: HTTPResponse) -> bytes:
    if (response.length or 0) > LARGEST_PHOTO:
        raise too_large()
    data = bytearray()
    while chunk := response.read(_CHUNK):
        data += chunk
        if len(data) > LARGEST_PHOTO:  # a length may be missing, or a lie
            raise too_large()
    if response.length:
        raise RefusalError(502, "the server of image_url sends less than it says")
    return bytes(data)
