"""The account of the drift function's tests."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from tests.drifting import World, captured


@pytest.fixture
def world(moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with captured(moto_session, monkeypatch) as world:
        yield world
