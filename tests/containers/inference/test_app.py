"""The application without a network."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from containers.inference import workers as workers_module
from containers.inference.app import App
from containers.inference.journal import Journal
from containers.inference.model import Model
from containers.inference.workers import Workers

MakePhoto = Callable[..., bytes]


@pytest.fixture
def app(model_folder: Path) -> Iterator[App]:
    workers = Workers(2)
    application = App(Journal(), workers, metrics_port=9090)
    application.model = Model(model_folder, "v1")
    yield application
    workers.pool.shutdown()


async def ask(
    app: App, method: str, path: str, body: bytes = b"", *, port: int = 8080, headers: dict[str, str] | None = None
) -> tuple[int, dict[bytes, bytes], bytes]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    names = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    await app({"server": ("::", port), "method": method, "path": path, "headers": names}, receive, send)
    start, rest = sent
    return start["status"], dict(start["headers"]), rest["body"]


def invoke(app: App, body: bytes, content_type: str = "", **headers: str) -> tuple[int, dict[bytes, bytes], bytes]:
    return asyncio.run(ask(app, "POST", "/invocations", body, headers={"content-type": content_type, **headers}))


@pytest.mark.parametrize(("method", "path"), [("GET", "/ping"), ("POST", "/invocations")])
@pytest.mark.parametrize(("state", "told"), [({"model": None}, "not ready"), ({"draining": True}, "stops")])
def test_it_says_that_it_is_not_ready(app: App, method: str, path: str, state: dict[str, Any], told: str) -> None:
    for name, value in state.items():
        setattr(app, name, value)
    status, headers, body = asyncio.run(ask(app, method, path, b"x"))
    assert (status, headers[b"retry-after"]) == (503, b"1")
    assert told in json.loads(body)["error"]


@pytest.mark.parametrize("error", [MemoryError, RuntimeError("/opt/ml/secret"), ValueError("inner")])
def test_what_nobody_foresaw_is_a_500_without_detail(
    app: App, error: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, make_photo: MakePhoto
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setattr(Model, "answer", fail)
        status, _, body = invoke(app, make_photo(1))
    assert (status, json.loads(body)) == (500, {"error": "internal error"})
    assert [record.exc_info is not None for record in caplog.records] == [True]
    assert invoke(app, make_photo(1))[0] == 200


def test_a_failure_in_a_batch_is_a_500_too(app: App, monkeypatch: pytest.MonkeyPatch, make_photo: MakePhoto) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(Model, "prepare", fail)
    body = b"--b\r\n\r\n" + make_photo(1) + b"\r\n--b--"
    assert invoke(app, body, content_type="multipart/form-data; boundary=b")[0] == 500


def test_more_requests_than_the_queue_holds_are_told_to_come_back(
    app: App, monkeypatch: pytest.MonkeyPatch, make_photo: MakePhoto
) -> None:
    go = threading.Event()
    photo, answer = make_photo(1), Model.answer

    alone = []

    def wait(model: Model, photo: bytes, **options: bool) -> dict[str, Any]:
        alone.append(options["alone"])
        go.wait(60)
        return answer(model, photo, **options)

    monkeypatch.setattr(Model, "answer", wait)
    limit = 2 * workers_module.QUEUE_PER_THREAD

    async def run() -> list[tuple[int, dict[bytes, bytes], bytes]]:
        waiting = [asyncio.ensure_future(ask(app, "POST", "/invocations", photo)) for _ in range(limit)]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        refused = await ask(app, "POST", "/invocations", photo)
        healthy = await ask(app, "GET", "/ping")
        go.set()
        return [refused, healthy, *await asyncio.gather(*waiting)]

    refused, *others = asyncio.run(run())
    assert (refused[0], refused[1][b"retry-after"]) == (503, b"1")
    assert json.loads(refused[2]) == {"error": "too many requests wait"}
    assert {reply[0] for reply in others} == {200}
    assert alone == [True] + [False] * (limit - 1)  # none but the first found the server idle


def test_photos_that_take_long_are_not_decoded_to_the_last(
    app: App, monkeypatch: pytest.MonkeyPatch, make_photo: MakePhoto
) -> None:
    prepare, prepared = Model.prepare, []

    def take_long(model: Model, photo: bytes) -> Any:
        prepared.append(photo)
        until = time.thread_time() + 0.05
        while time.thread_time() < until:
            pass
        return prepare(model, photo)

    body = b"--b\r\n\r\n" + b"\r\n--b\r\n\r\n".join([make_photo(1)] * 10) + b"\r\n--b--"
    monkeypatch.setattr(Model, "prepare", take_long)
    assert invoke(app, body, content_type="multipart/form-data; boundary=b")[0] == 200
    monkeypatch.setattr(workers_module, "DECODE_SECONDS", 0.12)
    prepared.clear()
    status, _, said = invoke(app, body, content_type="multipart/form-data; boundary=b")
    assert (status, "take too long to decode" in json.loads(said)["error"]) == (400, True)
    assert len(prepared) in {3, 4, 5}  # three threads: two more may have begun


def test_the_end_of_draining_is_told(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    monkeypatch.setattr(Model, "answer", lambda *_, **__: go.wait(60))

    async def run() -> tuple[int, dict[bytes, bytes], bytes]:
        task = asyncio.ensure_future(ask(app, "POST", "/invocations", b"x"))
        await asyncio.sleep(0.1)
        task.cancel()
        try:
            return await task
        finally:
            go.set()

    status, _, body = asyncio.run(run())
    assert (status, json.loads(body)) == (503, {"error": "the server stops"})


def test_metrics_are_on_their_own_port(app: App, make_photo: MakePhoto) -> None:
    assert invoke(app, make_photo(3))[0] == 200
    status, headers, body = asyncio.run(ask(app, "GET", "/metrics", port=9090))
    assert (status, headers[b"content-type"].split(b";")[0]) == (200, b"text/plain")
    assert b'bincount_predictions_total{label="3"} 1.0\n' in body
    assert asyncio.run(ask(app, "GET", "/ping", port=9090))[0] == 404
    assert asyncio.run(ask(app, "GET", "/metrics"))[0] == 404


@pytest.mark.parametrize("header", ["expect", "upgrade"])
def test_a_refused_connection_with_an_unread_body_is_closed(app: App, header: str) -> None:
    _, headers, _ = invoke(app, b"x", content_type="text/csv", **{header: "something"})
    assert headers[b"connection"] == b"close"
