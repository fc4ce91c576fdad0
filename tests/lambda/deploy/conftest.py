"""The account of the deploy function's tests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from tests.deployments import GROUP, ROLE, SMOKE, World

if TYPE_CHECKING:
    from tests.extended_moto import Endpoints


@pytest.fixture
def world(moto_session: boto3.Session, moto_endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv("PROJECT", "bincount")
    monkeypatch.setenv("MODEL_ROLE_ARN", ROLE)
    monkeypatch.setenv("CAPTURE_URI", "s3://artifacts/bincount/capture")
    monkeypatch.setattr("deploy.smoke._PAUSES", (0.0, 0.0, 0.0, 0.0))
    monkeypatch.setattr("deploy.endpoints._PAUSES", (0.0, 0.0, 0.0, 0.0))
    moto_endpoints.hold = True
    sagemaker: Any = moto_session.client("sagemaker")
    s3: Any = moto_session.client("s3")
    s3.create_bucket(Bucket="artifacts")
    s3.put_object(Bucket="artifacts", Key="smoke.json", Body=json.dumps(SMOKE).encode())
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    made = World(moto_session, moto_endpoints, sagemaker)
    events: Any = moto_session.events
    event = "before-call.sagemaker-runtime.InvokeEndpoint"
    events.register(event, made.answer)
    yield made
    events.unregister(event, made.answer)
