"""Strangers' sites, SageMaker's runtime and the function's clients, anew for each test."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from predict import clients
from predict.fetch import Rules
from tests.servers import HOST, Authority, Hosted, Site, make_authority, serve, serve_runtime

EVENTS = Path(__file__).parents[2] / "events" / "predict"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Return an authority whose certificate for photos.example.com the sites show."""
    return make_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def site(authority: Authority) -> Iterator[Site]:
    """Give a site at https://HOST:<port>."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.server)
    site = Site()
    with serve(site, context) as server:
        yield site
        server.shutdown()


@pytest.fixture
def plain_site() -> Iterator[Site]:
    """Give a site at http://HOST:<port>."""
    site = Site()
    with serve(site, None) as server:
        yield site
        server.shutdown()


@pytest.fixture
def rules(authority: Authority) -> Callable[..., Rules]:
    """Return a function that gives rules under which a loopback port of HOST is the public internet."""

    def make(*sites: Site, **changed: Any) -> Rules:
        known: dict[str, Any] = {
            "schemes": {"https"},
            "ports": {one.port for one in sites},
            "seconds": 5.0,
            "resolve": lambda host, _port: ["127.0.0.1"] if host == HOST else [host],
            "is_allowed": lambda address: address == "127.0.0.1",
            "trust": authority.trust,
        }
        return Rules(**{**known, **changed})

    return make


@pytest.fixture(autouse=True)
def _fresh_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """No client outlives its test's account, and no setting of the machine reaches the function."""
    clients.s3.cache_clear()
    clients.runtime.cache_clear()
    for name in ("ENDPOINT_NAME", "ALLOWED_BUCKETS", "ALLOWED_SCHEMES"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def hosted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hosted]:
    """Give the runtime service that `boto3.client("sagemaker-runtime")` reaches."""
    hosted = Hosted()
    with serve_runtime(hosted) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", f"http://127.0.0.1:{server.server_port}")
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
        monkeypatch.setattr(clients, "ATTEMPTS", 1)  # the pause before a second one is slow
        yield hosted
        server.shutdown()


@pytest.fixture
def photo() -> bytes:
    """Return the JPEG that the events hold."""
    return base64.b64decode(json.loads((EVENTS / "direct-image-base64.json").read_text())["image_base64"])
