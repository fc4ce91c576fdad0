"""The load of the serving benchmarks: `python -m benchmarks.load PORT CONNECTIONS SECONDS PHOTO`, prints JSON.

A process of its own, and a lean one, since it shares the cores with the server that it measures: raw keep-alive
connections on one epoll. As soon as an answer is whole the next request goes out on its connection. Every answer must
have the status 200.
"""

from __future__ import annotations

import json
import select
import socket
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

WARM_UP_SECONDS = 1.0
LEAST = 100  # answers, however long they take: a 99th percentile needs as many
READ_BYTES = 2**16


@dataclass(frozen=True)
class Load:
    """What a server did under a load: answers a second, and the time to an answer in milliseconds."""

    rate: float
    median: float
    p99: float


def put_load(port: int, photo: Path, connections: int, seconds: float) -> Load:
    """Measure the server on a port of this machine, from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load", f"{port}", f"{connections}", f"{seconds}", str(photo)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    return Load(**json.loads(done.stdout))


def request(photo: bytes) -> bytes:
    """Return a request for a prediction, as it goes over the wire."""
    head = f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: {len(photo)}\r\n\r\n"
    return head.encode() + photo


def is_whole(answer: bytes) -> bool:
    """Say whether an answer has arrived in full. Raises ValueError: it is not one of the status 200."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    if not head.startswith(b"HTTP/1.1 200"):
        raise ValueError(f"the server answered {answer[:300]!r}")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return len(body) >= int(length)


def times(port: int, message: bytes, connections: int, seconds: float) -> tuple[list[float], float]:
    """Return the time of every answer after the warm-up, in seconds, and how long all of them took."""
    with ExitStack() as stack:
        poll = stack.enter_context(select.epoll())
        sockets = {one.fileno(): one for one in (stack.enter_context(_connected(port)) for _ in range(connections))}
        answers = dict.fromkeys(sockets, b"")
        sent = {}
        for number, connection in sockets.items():
            poll.register(number, select.EPOLLIN)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 * len(message))  # it goes out in one call
            sent[number] = time.perf_counter()
            connection.sendall(message)
        taken: list[float] = []
        begun = time.perf_counter() + WARM_UP_SECONDS
        while (now := time.perf_counter()) < begun + seconds or len(taken) < LEAST:
            for number, _ in poll.poll():
                piece = sockets[number].recv(READ_BYTES)
                if not piece:
                    raise ConnectionError("the server closed a connection")
                answers[number] += piece
                if is_whole(answers[number]):
                    now = time.perf_counter()
                    if now >= begun:
                        taken.append(now - sent[number])
                    answers[number], sent[number] = b"", now
                    sockets[number].sendall(message)
        return taken, now - begun


def _connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def main(arguments: list[str]) -> None:
    """Put the load and print what came of it."""
    port, connections, seconds, photo = arguments
    message = request(Path(photo).read_bytes())
    taken, lasted = times(int(port), message, int(connections), float(seconds))
    milliseconds = [1000 * one for one in taken]
    p99 = statistics.quantiles(milliseconds, n=100)[98]
    print(json.dumps(asdict(Load(len(taken) / lasted, statistics.median(milliseconds), p99))))


if __name__ == "__main__":
    main(sys.argv[1:])
