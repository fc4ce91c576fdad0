"""Two hundred bodies that are not what they say: no 5xx, the same process, and it does not grow."""

from __future__ import annotations

import json
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.containers.inference.bodies import FORM, JPEG, PICTURES, as_json, coded, form

Server = Any  # tests/containers/inference/conftest.py: ServerProcess

GROWTH = 32 * 2**20  # bytes: what allocators keep back, far below a leak of 200 bodies at their decoded size
VALID = [
    *(
        (content_type, photo)
        for content_type in ("image/jpeg", "application/octet-stream")
        for photo in PICTURES.values()
    ),
    *[("application/json", as_json(image_base64=coded(JPEG)))] * 10,
    *[("application/json", as_json(images_base64=[coded(JPEG), coded(PICTURES["palette png"])]))] * 10,
    *[(FORM, form(JPEG, PICTURES["png"], JPEG))] * 20,
]


@st.composite
def malformed(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a valid body that one to four mutations have passed over, at times under another's content type."""
    content_type, body = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        end = start + draw(st.sampled_from([0, 1, 2, 4, 20, len(body)]))
        piece = draw(st.one_of(st.binary(max_size=20), st.just(body[end : end + 50]), st.just(b"\xff" * 8)))
        body = body[:start] + piece + body[end:]
    if draw(st.integers(0, 9)) == 0:
        content_type = draw(st.sampled_from(VALID))[0]
    return content_type, body


def test_200_malformed_bodies_leave_the_server_as_it_was(server: Server) -> None:
    statuses: Counter[int] = Counter()

    @settings(max_examples=200, suppress_health_check=list(HealthCheck))
    @given(malformed())
    def send(request: tuple[str, bytes]) -> None:
        content_type, body = request
        reply = server.invoke(body, content_type)
        statuses[reply.status] += 1
        assert reply.status in {200, 400, 413, 415}
        assert reply.status == 200 or set(reply.json) == {"error"}

    for content_type, body in VALID:
        assert server.invoke(body, content_type).status == 200
    before = server.memory()
    send()
    assert sum(statuses.values()) >= 200
    assert statuses[400] + statuses[415] >= 100
    assert server.memory() - before < GROWTH
    assert server.process.poll() is None
    assert server.lines("request failed") == []


def exchange(server: Server, data: bytes) -> bytes:
    """Send bytes and return all that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(data)
        return b"".join(iter(lambda: connection.recv(65536), b""))


HEAD = b"POST /invocations HTTP/1.1\r\nContent-Type: image/jpeg\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"hello\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 400),
        (b"GET /ping HTTP/9.9\r\n\r\n", 400),
        (b"GET /p\xc3\xbcng HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT example.org:443 HTTP/1.1\r\n\r\n", 400),
        (b"GET http://[::1 HTTP/1.1\r\n\r\n", 400),
        (HEAD + b"Content-Length: -5\r\n\r\n", 400),
        (HEAD + b"Content-Length: 99999999999999999999999\r\n\r\n", 400),
        (HEAD + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400),
        (HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n", 400),
        (HEAD + b"Upgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 3\r\n\r\nabc", 400),
        (HEAD + b"Expect: 100-continue\r\nContent-Length: 7000000\r\n\r\n", 413),
        (b"GET /ping HTTP/1.1\r\n" + b"A: b\r\n" * 20_000, 431),
        (b"GET /ping HTTP/1.1\r\nA: " + b"b" * 40_000, 431),
        (b"GET /" + b"p" * 40_000, 431),
    ],
)
def test_broken_http_is_refused_in_json(server: Server, data: bytes, status: int) -> None:
    head, _, body = exchange(server, data).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status)
    assert b"connection: close" in head.lower()
    assert list(json.loads(body)) == ["error"]


def test_a_body_that_is_longer_than_announced_is_told(server: Server) -> None:
    answer = exchange(server, HEAD + b"Content-Length: 100\r\n\r\n" + bytes(300))
    assert b"HTTP/1.1 400 " in answer


def test_a_client_that_leaves_early_is_noted(server: Server, until: Callable[[Callable[[], object]], None]) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(HEAD + b"Content-Length: 100\r\n\r\nabc")
    until(lambda: any(line["status"] == 499 for line in server.lines("request")))
    line = next(line for line in server.lines("request") if line["status"] == 499)
    assert (line["bytes"], line["error"]) == (3, "the client closed the connection")
    assert server.ask("GET", "/ping").status == 200
