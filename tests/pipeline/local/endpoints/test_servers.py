from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from pipeline.local.endpoints import servers
from pipeline.local.endpoints.plan import DeploymentError, Plan
from pipeline.local.endpoints.servers import lives
from pipeline.local.runner import ProcessRunner
from pipeline.local.slots import cores


class _Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def stranger() -> Iterator[int]:
    """Return the port of a server that is none of ours, and says that it is ready."""
    with HTTPServer(("127.0.0.1", 0), _Ready) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()


def test_a_port_that_was_taken_meanwhile_is_given_up(
    hosting: Any, stranger: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = servers._free_ports
    taken = iter([[stranger, stranger]])
    monkeypatch.setattr(servers, "_free_ports", lambda count: next(taken, None) or free(count))
    assert hosting.create(hosting.config("v1"))["EndpointStatus"] == "InService"
    (server,) = hosting.document()["_servers"]
    assert server["port"] != stranger
    assert lives(server)
    hosting.invoke()


def test_free_ports_are_free_and_differ() -> None:
    ports = servers._free_ports(5)
    assert len(set(ports)) == 5
    for port in ports:
        with socket.socket() as one:
            one.bind(("127.0.0.1", port))


def test_a_server_is_known_by_more_than_its_number(hosting: Any) -> None:
    hosting.create(hosting.config("v1"))
    (server,) = hosting.document()["_servers"]
    assert lives(server)
    assert not lives({**server, "port": server["port"] + 1})
    assert not lives({**server, "folder": f"{server['folder']}x"})
    assert not lives({**server, "pid": 2**22 + 1})


def test_an_image_that_is_not_ours_says_so(hosting: Any, tmp_path: Path) -> None:
    plan = Plan("c", "AllTraffic", "other/image:1", None, {}, 1, 1.0, 5, None)
    with pytest.raises(DeploymentError, match="image other/image:1 cannot be run here"):
        servers.start_servers(hosting.home, ProcessRunner(), "bins", plan, [1])


def test_one_of_several_that_does_not_start_takes_the_others_along(
    hosting: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = servers._Starting.ready

    def ready(self: Any) -> bool:
        if self._number == 2 and start(self):
            raise DeploymentError("no")
        return start(self)

    monkeypatch.setattr(servers._Starting, "ready", ready)
    assert hosting.create(hosting.config("v1", 2))["EndpointStatus"] == "Failed"
    assert hosting.processes() == []


def test_servers_know_where_they_are_and_share_the_cores(hosting: Any) -> None:
    hosting.create(hosting.config("v1", 2))
    environments = [process.environ() for process in hosting.processes()]
    assert {one["SERVER_HOST"] for one in environments} == {"127.0.0.1"}
    assert {one["OMP_NUM_THREADS"] for one in environments} == {str(max(1, cores() // 2))}
    ports = [one[name] for one in environments for name in ("SAGEMAKER_BIND_TO_PORT", "METRICS_PORT")]
    assert len(set(ports)) == 4
