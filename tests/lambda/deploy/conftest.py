"""The account of the deploy function's tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.deployments import World, deployed

if TYPE_CHECKING:
    from tests.extended_moto import Endpoints


@pytest.fixture
def world(moto_session: boto3.Session, moto_endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with deployed(moto_session, moto_endpoints, monkeypatch) as world:
        yield world
