"""Slow and greedy clients, with limits short enough to wait for."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from containers.inference import protocol, server
from containers.inference.app import App
from containers.inference.journal import Journal
from containers.inference.model import Model
from containers.inference.workers import Workers

HEAD = b"POST /invocations HTTP/1.1\r\nContent-Type: image/jpeg\r\n"
Connect = Callable[[], socket.socket]
Until = Callable[[Callable[[], object]], None]


@pytest.fixture
def journal(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, str]]:
    """Return what becomes of requests: path, status, error."""
    written: list[tuple[str, int, str]] = []
    monkeypatch.setattr(Journal, "write", lambda _, line: written.append((line.path, line.status, line.error)))
    return written


@pytest.fixture
def connect(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Return a function that connects to a server in this process, whose limits are short."""
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(protocol, "BODY_SECONDS", 0.5)
    monkeypatch.setattr(protocol, "WRITE_SECONDS", 0.3)
    monkeypatch.setattr(protocol, "MAX_MESSAGE_BYTES", 2**23)
    workers = Workers(1)
    app = App(Journal(), workers, metrics_port=0)
    app.model = Model(model_folder)
    running = server._Server(server._config(app))
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: asyncio.run(running.serve([listener])))
    thread.start()
    connections: list[socket.socket] = []

    def open_one() -> socket.socket:
        connections.append(socket.create_connection(listener.getsockname(), timeout=60))
        return connections[-1]

    yield open_one
    for connection in connections:
        connection.close()
    running.handle_exit(0, None)
    thread.join()
    workers.pool.shutdown()


def answer(connection: socket.socket) -> tuple[bytes, Any]:
    """Read until the server closes; return the status line and the body's JSON."""
    data = b"".join(iter(lambda: connection.recv(65536), b""))
    return data.split(b"\r\n")[0], json.loads(data.split(b"\r\n\r\n")[1]) if data else None


def test_a_connection_that_asks_nothing_is_closed(connect: Connect, journal: list[object]) -> None:
    assert answer(connect()) == (b"", None)
    assert journal == []


def test_empty_lines_win_no_time(connect: Connect) -> None:
    connection = connect()
    connection.sendall(b"\r\n" * 10)
    assert answer(connection) == (b"", None)


@pytest.mark.parametrize("data", [b"G", b"GET /ping HTTP/1.1\r\nA: b\r\n", HEAD])
def test_a_slow_head_is_told(connect: Connect, journal: list[object], data: bytes) -> None:
    connection = connect()
    connection.sendall(data)
    told = "the head of the request took too long"
    assert answer(connection) == (b"HTTP/1.1 408 Request Timeout", {"error": told})
    assert journal == [("", 408, told)]


def test_bytes_now_and_then_win_no_time(connect: Connect) -> None:
    connection = connect()
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.05):
            try:
                connection.sendall(b"A: b\r\n")
            except OSError:
                return

    connection.sendall(b"GET /ping HTTP/1.1\r\n")
    thread = threading.Thread(target=drip)
    thread.start()
    try:
        assert connection.recv(65536).startswith(b"HTTP/1.1 408 ")
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("data", [b"Content-Length: 100\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"])
def test_a_slow_body_is_told_and_written_down_once(
    connect: Connect, journal: list[object], until: Until, data: bytes
) -> None:
    connection = connect()
    connection.sendall(HEAD + data)
    told = "the body of the request took too long"
    assert answer(connection) == (b"HTTP/1.1 408 Request Timeout", {"error": told})
    until(lambda: journal)  # it is written after the answer
    assert journal == [("/invocations", 408, told)]


def test_the_rest_of_a_refused_body_is_read_for_a_while_only(connect: Connect, journal: list[Any]) -> None:
    connection = connect()
    connection.sendall(HEAD.replace(b"image/jpeg", b"text/csv") + b"Content-Length: 100\r\n\r\nabc")
    status, value = answer(connection)
    assert (status, list(value)) == (b"HTTP/1.1 415 Unsupported Media Type", ["error"])
    assert [line[1] for line in journal] == [415]


def test_an_endless_body_is_cut_off(connect: Connect) -> None:
    connection = connect()
    connection.sendall(HEAD.replace(b"image/jpeg", b"text/csv") + b"Transfer-Encoding: chunked\r\n\r\n")
    piece = b"10000\r\n" + bytes(65536) + b"\r\n"
    with pytest.raises(OSError, match=r"reset|Broken pipe"):
        connection.sendall(piece * 1000)


def test_a_client_that_does_not_read_is_cut_off(connect: Connect) -> None:
    connection = connect()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(20)
    with pytest.raises(ConnectionError):
        connection.sendall(b"GET /nothing HTTP/1.1\r\n\r\n" * 1_000_000)


def one(connection: socket.socket) -> int:
    """Read one answer and return its status."""
    reply = http.client.HTTPResponse(connection)
    reply.begin()
    reply.read()
    return reply.status


def test_requests_follow_each_other_on_a_connection(connect: Connect, journal: list[Any], until: Until) -> None:
    connection = connect()
    for _ in range(3):
        connection.sendall(b"GET /ping HTTP/1.1\r\n\r\n")
        assert one(connection) == 200
    connection.sendall(HEAD + b"Content-Length: 40000\r\n\r\n" + bytes(40_000) + b"GET /ping HT")  # no head of 40 kB
    assert one(connection) == 415
    connection.sendall(b"TP/1.1\r\nConnection: close\r\n\r\n")
    assert answer(connection)[0] == b"HTTP/1.1 200 OK"
    until(lambda: len(journal) == 5)
    assert [line[1] for line in journal] == [200, 200, 200, 415, 200]


def test_a_connection_too_many_is_told(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "MAX_CONNECTIONS", 1)
    first = connect()
    first.sendall(b"GET /ping HTTP/1.1\r\n\r\n")
    assert one(first) == 200
    status, value = answer(connect())
    assert (status, value) == (b"HTTP/1.1 503 Service Unavailable", {"error": "too many connections"})
