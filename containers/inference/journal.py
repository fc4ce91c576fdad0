"""What the server tells of itself: a line of JSON a request, metrics for Prometheus; never a payload or a header."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

PATHS = ("/ping", "/invocations")  # others are counted together: anybody can invent paths
PATH_CHARACTERS = 100

_JSON = json.JSONEncoder(default=str)  # json.dumps makes one for each line
_log = logging.getLogger("inference")


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON: time in UTC, level, event, and what `extra={"fields": ...}` adds."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "level": record.levelname.lower(), "event": record.getMessage()}
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return _JSON.encode(line)


def log_to_stdout() -> None:
    """Send everything that anyone logs to stdout as lines of JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    warnings.simplefilter(
        "ignore"
    )  # decoders warn of what photos hold; each text that was shown would be kept for ever
    logging.raiseExceptions = False  # a reader of the log that went away must not fail requests
    logging.getLogger("python_multipart").setLevel(logging.ERROR)  # it warns of what the client gets told
    _log.setLevel(logging.INFO)


@dataclass(slots=True)
class Exchange:
    """A request and what became of it."""

    method: str
    path: str
    status: int = 200
    seconds: float = 0.0
    bytes: int = 0
    photos: int = 0
    error: str = ""


class Journal:
    """Counts and logs requests. `version` is the model's, "" before there is one."""

    def __init__(self) -> None:
        self.version = ""
        self._registry = CollectorRegistry()
        disable_created_metrics()  # type: ignore[no-untyped-call]  # or each counter is listed twice
        ProcessCollector(registry=self._registry)
        self._requests = Counter("bincount_requests", "Requests answered", ("path", "status"), registry=self._registry)
        self._seconds = Histogram(
            "bincount_request_seconds",
            "Time from the head of a request for predictions to its answer",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
            registry=self._registry,
        )
        self._photos = Counter("bincount_photos", "Photos answered", registry=self._registry)
        self._predictions = Counter("bincount_predictions", "Answers", ("label",), registry=self._registry)
        self._asking = Counter("bincount_asking", "Answers that ask for a person", registry=self._registry)
        self._confidence = Histogram(
            "bincount_confidence",
            "Probability of the predicted label",
            buckets=[tenth / 10 for tenth in range(1, 11)],
            registry=self._registry,
        )
        self.in_flight = Gauge("bincount_requests_in_flight", "Requests for predictions now", registry=self._registry)
        self._model = Info("bincount_model", "The model that answers", registry=self._registry)

    def model_ready(self, version: str, **facts: str) -> None:
        """Note the model that answers from now on."""
        self.version = version
        self._model.info({"version": version, **facts})

    def answered(self, answers: Sequence[dict[str, Any]]) -> None:
        """Count answers."""
        self._photos.inc(len(answers))
        for answer in answers:
            self._predictions.labels(answer["predicted_label"]).inc()
            self._asking.inc(answer["ask_a_person"])
            self._confidence.observe(answer["confidence"])

    def write(self, exchange: Exchange) -> None:
        """Count a request and log it; a health check that went well is only counted."""
        path = exchange.path if exchange.path in PATHS else "other"
        self._requests.labels(path, str(exchange.status)).inc()
        if path == "/invocations":
            self._seconds.observe(exchange.seconds)
        if path == "/ping" and exchange.status == 200:
            return
        fields = {
            "method": exchange.method,
            "path": exchange.path[:PATH_CHARACTERS],
            "status": exchange.status,
            "milliseconds": round(exchange.seconds * 1000, 1),
            "bytes": exchange.bytes,
            "photos": exchange.photos,
            "model_version": self.version,
        }
        if exchange.error:
            fields["error"] = exchange.error
        _log.info("request", extra={"fields": fields})

    def metrics(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)
