"""The server's life, as the service drives it."""

from __future__ import annotations

import json
import platform
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.containers.inference.bodies import FORM, encoded, form

ROOT = Path(__file__).parents[3]
Start = Callable[..., Any]
Until = Callable[[Callable[[], object]], None]
MakePhoto = Callable[..., bytes]


def test_a_broken_graph_ends_the_process_with_one_line(start_server: Start) -> None:
    server = start_server(files={"model.onnx": b"junk" * 100})
    assert server.process.wait(60) == 1
    [line] = server.errors.read_text().splitlines()
    assert line.startswith("error: model.onnx cannot be loaded")
    assert server.lines("ready") == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"image_size": 1}, "error: model.json is not ours: image_size"),
        ({"class_labels": ["1", "2"]}, "error: model.onnx answers shape (2, 5) where model.json promises (2, 2)"),
        ({"name": "elsewhere"}, "error: "),
    ],
)
def test_a_model_that_is_none_does_not_start(start_server: Start, options: dict[str, Any], told: str) -> None:
    server = start_server(**options)
    assert server.process.wait(60) == 1
    [line] = server.errors.read_text().splitlines()
    assert line.startswith(told)


def test_a_port_that_is_taken_is_told(start_server: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        server = start_server({"METRICS_PORT": str(port)})
        assert server.process.wait(60) == 1
    assert server.errors.read_text() == f"error: cannot listen on 127.0.0.1:{port}: Address already in use\n"


@pytest.mark.parametrize("arguments", [[], ["train"], ["serve", "--now"]])
def test_there_is_one_command(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "containers.inference", *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "error: the only command is serve: python3 -m containers.inference serve\n"


def test_sigterm_lets_a_request_that_has_begun_end(start_server: Start, make_photo: MakePhoto, until: Until) -> None:
    server = start_server().wait_ready()
    photo = make_photo(4)
    head = f"POST /invocations HTTP/1.1\r\nContent-Type: image/jpeg\r\nContent-Length: {len(photo)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as slow:
        slow.sendall(head.encode() + photo[:100])
        until(lambda: server.metric("bincount_requests_in_flight") == 1)
        server.process.send_signal(signal.SIGTERM)
        until(lambda: refused(server.port))
        assert server.process.poll() is None
        slow.sendall(photo[100:])
        answer = b"".join(iter(lambda: slow.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 200")
    assert json.loads(answer.split(b"\r\n\r\n")[1])["predicted_label"] == "4"
    assert server.process.wait(60) == 0
    assert server.errors.read_text() == ""


def refused(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=60).close()
    except ConnectionRefusedError:
        return True
    return False


def test_sigterm_closes_connections_that_wait(start_server: Start) -> None:
    server = start_server().wait_ready()
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as idle:
        server.process.send_signal(signal.SIGTERM)
        assert idle.recv(1) == b""
    assert server.process.wait(60) == 0


def test_the_version_is_the_graph_s_digest_where_none_is_given(start_server: Start) -> None:
    import hashlib

    server = start_server().wait_ready()
    graph = (server.log.parent / "model" / "model.onnx").read_bytes()
    assert server.ask("GET", "/ping").json == {"model_version": hashlib.sha256(graph).hexdigest()[:12]}


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator")
def test_the_memory_of_large_photos_is_given_back(start_server: Start) -> None:
    running = start_server({"OMP_NUM_THREADS": "2"}).wait_ready()
    before = running.memory()
    large = form(*[encoded(Image.new("RGBA", (5000, 5000), "gray"), "WEBP", lossless=True, method=0)] * 2)
    for _ in range(4):
        assert running.invoke(large, FORM).status == 200
    assert running.memory() - before < 48 * 2**20
