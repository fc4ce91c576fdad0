from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest

from containers.inference.journal import Exchange, Journal, JsonLines

Server = Any  # tests/containers/inference/conftest.py: ServerProcess
MakePhoto = Callable[..., bytes]
Until = Callable[[Callable[[], object]], None]


def line(record: logging.LogRecord) -> dict[str, Any]:
    text = JsonLines().format(record)
    assert "\n" not in text
    value: dict[str, Any] = json.loads(text)
    return value


def written(exchange: Exchange, caplog: pytest.LogCaptureFixture, version: str = "") -> list[dict[str, Any]]:
    caplog.clear()
    with caplog.at_level(logging.INFO, "inference"):
        journal = Journal()
        journal.version = version
        journal.write(exchange)
    return [line(record) for record in caplog.records]


def test_a_request_is_a_line(caplog: pytest.LogCaptureFixture) -> None:
    [found] = written(Exchange("POST", "/invocations", 400, 0.01234, 7, 0, 'no "photo"\n'), caplog, "v1")
    assert found.pop("time").endswith("+00:00")
    assert found == {
        "level": "info",
        "event": "request",
        "method": "POST",
        "path": "/invocations",
        "status": 400,
        "milliseconds": 12.3,
        "bytes": 7,
        "photos": 0,
        "model_version": "v1",
        "error": 'no "photo"\n',
    }


def test_a_health_check_is_a_line_only_when_it_fails(caplog: pytest.LogCaptureFixture) -> None:
    assert written(Exchange("GET", "/ping", 200), caplog) == []
    assert [found["status"] for found in written(Exchange("GET", "/ping", 503), caplog)] == [503]


def test_a_path_is_not_written_without_end(caplog: pytest.LogCaptureFixture) -> None:
    [found] = written(Exchange("GET", "/" + "x" * 1000, 404), caplog)
    assert len(found["path"]) == 100


def test_a_trace_is_in_the_line_too() -> None:
    error = ValueError("two\nlines")
    found = line(logging.LogRecord("x", logging.ERROR, "", 0, "request failed", (), (ValueError, error, None)))
    assert (found["event"], found["level"]) == ("request failed", "error")
    assert found["trace"].endswith("ValueError: two\nlines")


def test_metrics_count_requests_photos_and_answers() -> None:
    journal = Journal()
    journal.model_ready("group/3", backbone="x")
    shared = {"predicted_label": "2"}
    journal.answered([shared | {"confidence": 0.55, "ask_a_person": True}])
    journal.answered([shared | {"confidence": 0.95, "ask_a_person": False}])
    for exchange in (Exchange("POST", "/invocations", 200, 0.02), Exchange("GET", "/a"), Exchange("GET", "/b")):
        journal.write(exchange)
    lines = journal.metrics().decode().splitlines()
    for expected in (
        'bincount_requests_total{path="/invocations",status="200"} 1.0',
        'bincount_requests_total{path="other",status="200"} 2.0',
        'bincount_request_seconds_bucket{le="0.025"} 1.0',
        'bincount_request_seconds_bucket{le="0.01"} 0.0',
        "bincount_request_seconds_count 1.0",
        "bincount_photos_total 2.0",
        'bincount_predictions_total{label="2"} 2.0',
        "bincount_asking_total 1.0",
        'bincount_confidence_bucket{le="0.6"} 1.0',
        'bincount_confidence_bucket{le="1.0"} 2.0',
        "bincount_requests_in_flight 0.0",
        'bincount_model_info{backbone="x",version="group/3"} 1.0',
    ):
        assert expected in lines
    assert any(text.startswith("process_resident_memory_bytes ") for text in lines)


def test_the_server_writes_neither_payloads_nor_headers(server: Server, make_photo: MakePhoto, until: Until) -> None:
    before = server.metric('bincount_requests_total{path="/invocations",status="200"}')
    marked = make_photo(1) + b"MARK-IN-THE-BODY"
    assert server.invoke(marked, "image/jpeg; mark=MARK-IN-A-HEADER", Authorization="MARK-IN-A-HEADER").status == 200
    assert server.invoke(b"MARK-IN-THE-BODY", "MARK-IN-A-HEADER").status == 415
    assert server.ask("GET", "/ping?mark=MARK-IN-THE-QUERY").status == 200
    until(lambda: server.lines("request")[-1]["status"] == 415)  # it is written after the answer
    assert "MARK" not in server.log.read_text()
    last = server.lines("request")[-2]
    assert (last["bytes"], last["photos"], last["model_version"]) == (len(marked), 1, "bincount-demo/3")
    assert server.metric('bincount_requests_total{path="/invocations",status="200"}') == before + 1
    assert server.metric("bincount_requests_in_flight") == 0
