"""Servers on loopback that stand for strangers' sites and for SageMaker, and an authority that signs for a host."""

from __future__ import annotations

import datetime
import json
import socketserver
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HOST = "photos.example.com"
ANSWER = {
    "predicted_label": "3",
    "predicted_index": 2,
    "confidence": 0.71,
    "ask_a_person": False,
    "probabilities": [0.05, 0.1, 0.71, 0.1, 0.04],
    "class_labels": ["1", "2", "3", "4", "5"],
    "model_version": "bincount-demo/3",
}


def _certificate(name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: Any, *, authority: bool) -> bytes:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    )
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class Authority:
    """Files of a certificate authority, and of a server's certificate for HOST with its key."""

    certificate: Path
    server: Path

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))


def make_authority(folder: Path) -> Authority:
    """Write an authority and the certificate of a server into a folder."""
    ours, theirs = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    (folder / "authority.pem").write_bytes(_certificate("authority", ours, "authority", ours, authority=True))
    key = theirs.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(key + _certificate(HOST, theirs, "authority", ours, authority=False))
    return Authority(folder / "authority.pem", folder / "server.pem")


Page = bytes | Callable[[Any], None]


@dataclass
class Site:
    """A site: what it sends for a path, whole (bytes) or by writing to the connection itself."""

    port: int = 0
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[bytes] = field(default_factory=list)

    def put(self, path: str, body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> None:
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
        self.pages[path] = "\r\n".join([*lines, "", ""]).encode() + body

    def redirect(self, path: str, to: str) -> None:
        self.put(path, b"", f"Location: {to}", status="302 Found")


def serve(site: Site, context: ssl.SSLContext | None) -> socketserver.ThreadingTCPServer:
    """Serve a site on a loopback port of its own, over TLS where a context is given."""

    class Connection(socketserver.StreamRequestHandler):
        timeout = 5

        def setup(self) -> None:
            if context:
                self.request = context.wrap_socket(self.request, server_side=True)
            super().setup()

        def handle(self) -> None:
            head = b""
            while b"\r\n\r\n" not in head and (line := self.rfile.readline()):
                head += line
            site.asked.append(head)
            page = site.pages.get(head.split(b" ")[1].decode() if head else "", b"HTTP/1.1 404 Not Found\r\n\r\n")
            with suppress(OSError):  # the other side may have had enough
                page(self.wfile) if callable(page) else self.wfile.write(page)

        def finish(self) -> None:
            with suppress(OSError):
                super().finish()
            with suppress(OSError):
                self.request.close()

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Say nothing: that a client turns away is what some tests want."""

    server = Server(("127.0.0.1", 0), Connection)
    site.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server


@dataclass
class Hosted:
    """SageMaker's runtime: what it answers next, and what it was asked."""

    status: int = 200
    body: bytes = json.dumps(ANSWER).encode()
    headers: dict[str, str] = field(default_factory=dict)
    wait: threading.Event | None = None
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)

    def refuse(self, status: int, code: str, **members: object) -> None:
        self.status, self.headers = status, {"x-amzn-ErrorType": code}
        self.body = json.dumps({"Message": "model container of 10.0.3.17 says no", **members}).encode()


def serve_runtime(hosted: Hosted) -> ThreadingHTTPServer:
    """Serve SageMaker's runtime on a loopback port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            photo = self.rfile.read(int(self.headers["Content-Length"]))
            hosted.asked.append((self.path, str(self.headers["Content-Type"]), photo))
            if hosted.wait:
                hosted.wait.wait(5)
            with suppress(OSError):
                self.send_response(hosted.status)
                for name, value in {**hosted.headers, "Content-Length": str(len(hosted.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(hosted.body)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server
