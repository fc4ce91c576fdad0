"""The public bucket of bin photos, drawn: in moto, or on a server of loopback that has bad days."""

from __future__ import annotations

import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

BUCKET = "aft-vbi-pds"
ERRORS = {"throttled": (503, "SlowDown"), "broken": (500, "InternalError"), "denied": (403, "AccessDenied")}


def photo(id: str, size: int = 64) -> bytes:
    """Return bytes that look like a JPEG of its own for each id."""
    return b"\xff\xd8\xff" + id.encode().ljust(size, b".") + b"\xff\xd9"


def record(quantity: int) -> bytes:
    return json.dumps({"EXPECTED_QUANTITY": quantity, "BIN_FCSKU_DATA": {}}).encode()


def fill(client: Any, quantities: dict[str, int]) -> None:
    """Make the bucket, with a photo and a record of each id."""
    client.create_bucket(Bucket=BUCKET, ACL="public-read")
    for id, quantity in quantities.items():
        client.put_object(Bucket=BUCKET, Key=f"bin-images/{id}.jpg", Body=photo(id), ACL="public-read")
        client.put_object(Bucket=BUCKET, Key=f"metadata/{id}.json", Body=record(quantity), ACL="public-read")


@dataclass
class BadDays:
    """A server of objects by path; `days` has what befalls the next requests of a path, in turn."""

    objects: dict[str, bytes] = field(default_factory=dict)
    days: dict[str, list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def add(self, id: str, quantity: int = 1) -> None:
        self.objects[f"/{BUCKET}/bin-images/{id}.jpg"] = photo(id)
        self.objects[f"/{BUCKET}/metadata/{id}.json"] = record(quantity)

    def befalls(self, key: str, *days: str) -> None:
        """Let the next requests of a key be `throttled`, `broken`, `short`, `reset`, `wrong`, `denied`, or `huge`."""
        self.days[f"/{BUCKET}/{key}"] = list(days)


@contextmanager
def bad_days() -> Iterator[BadDays]:
    world = BadDays()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            world.asked.append(path)
            waiting = world.days.get(path, [])
            day, content = waiting.pop(0) if waiting else "", world.objects.get(path)
            if day in {"throttled", "broken", "denied"}:
                self._error(
                    {"throttled": (503, "SlowDown"), "broken": (500, "InternalError")}.get(day, (403, "AccessDenied"))
                )
            elif day == "reset":
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
            elif content is None:
                self._error((404, "NoSuchKey"))
            else:
                self._content(content, day)

        def _content(self, content: bytes, day: str) -> None:
            self.send_response(200)
            self.send_header("ETag", f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"')
            self.send_header("Content-Length", str(10**10 if day == "huge" else len(content)))
            self.end_headers()
            self.wfile.write({"short": content[:-3], "wrong": content[::-1]}.get(day, content))
            self.close_connection = day in {"short", "huge"}

        def _error(self, error: tuple[int, str]) -> None:
            body = f"<Error><Code>{error[1]}</Code><Message>no</Message></Error>".encode()
            self.send_response(error[0])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    world.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield world
    finally:
        server.shutdown()
        server.server_close()
