from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest

from benchmarks.load import is_whole, request, times

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nX-Y: z\r\n\r\nabcd"

Serve = Callable[[bytes], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Return a function that starts a server which reads requests and answers each with the same bytes."""
    listeners = []

    def start(answer: bytes) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def talk(connection: socket.socket) -> None:
            # The load ends with requests under way: whoever answers them then finds nobody.
            with suppress(ConnectionError), connection, connection.makefile("rb") as file:
                while line := file.readline():
                    if line == b"\r\n":
                        file.read(5)
                        connection.sendall(answer)

        def accept() -> None:
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                threading.Thread(target=talk, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    yield start
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize("length", range(len(ANSWER)))
def test_an_answer_that_is_cut_anywhere_is_not_whole(length: int) -> None:
    assert not is_whole(ANSWER[:length])


def test_an_answer_with_all_its_bytes_is_whole() -> None:
    assert is_whole(ANSWER)


def test_a_refusal_is_no_answer() -> None:
    with pytest.raises(ValueError, match="503"):
        is_whole(ANSWER.replace(b"200 OK", b"503 Service Unavailable"))


@pytest.mark.parametrize("connections", [1, 3])
def test_every_connection_is_kept_busy(serve: Serve, connections: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.load.WARM_UP_SECONDS", 0.0)
    taken, lasted = times(serve(ANSWER), request(b"photo"), connections, 0.0)
    assert len(taken) >= 100  # as many as a 99th percentile needs, however short the time
    assert 0 < min(taken) < lasted


def test_a_server_that_hangs_up_ends_the_measurement() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=lambda: listener.accept()[0].close(), daemon=True).start()
        with pytest.raises(ConnectionError):
            times(listener.getsockname()[1], request(b"photo"), 1, 0.0)
