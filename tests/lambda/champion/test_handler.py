"""The same calls against moto, which stands for AWS, and against local AWS."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from champion.handler import handler
from pipeline.aws import registry
from pipeline.local import aws as local_aws
from pipeline.local.home import Home

BUCKET = "bincount-local"
GROUP = "bincount-demo"
NEW = f"s3://{BUCKET}/train/new/output/model.tar.gz"
EVENT = {"ModelPackageGroupName": GROUP, "ModelDataUrl": NEW}


class Registry:
    """A group whose versions are registered here, each with an artifact of its own."""

    def __init__(self, session: boto3.Session) -> None:
        self.session = session
        self.sagemaker: Any = session.client("sagemaker")
        self.s3: Any = session.client("s3")
        self.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)

    def register(self, number: int, status: str) -> str:
        """Register the version that will have this number; return its artifact's address."""
        key = f"train/{number}/output/model.tar.gz"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=b"weights")
        container = {"Image": "image", "ModelDataUrl": f"s3://{BUCKET}/{key}"}
        self.sagemaker.create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus=status,
            InferenceSpecification={
                "Containers": [container],
                "SupportedContentTypes": ["image/jpeg"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
        )
        return container["ModelDataUrl"]

    def lose(self, url: str) -> None:
        """Delete an artifact."""
        self.s3.delete_object(Bucket=BUCKET, Key=url.removeprefix(f"s3://{BUCKET}/"))


@pytest.fixture(params=["moto", "local"])
def session(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    if request.param == "local":
        session = local_aws.session(Home(tmp_path))
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    else:
        session = request.getfixturevalue("moto_session")
        client: Any = session.client("s3")
        client.create_bucket(Bucket=BUCKET)
    return session


@pytest.mark.usefixtures("session")
def test_without_a_group_the_new_model_comes_back() -> None:
    assert handler(EVENT, None) == {"ModelDataUrl": NEW, "Version": "none"}


def test_only_the_approved_count(session: boto3.Session) -> None:
    group = Registry(session)
    for number, status in enumerate(("Rejected", "PendingManualApproval"), start=1):
        group.register(number, status)
    assert handler(EVENT, None) == {"ModelDataUrl": NEW, "Version": "none"}
    approved = group.register(3, "Approved")
    group.register(4, "PendingManualApproval")
    assert handler(EVENT, None) == {"ModelDataUrl": approved, "Version": f"{GROUP}/3"}


def test_it_is_the_champion_of_the_registry(session: boto3.Session) -> None:
    group = Registry(session)
    for number in (1, 2):
        group.register(number, "Approved")
    champion = registry.champion(session, GROUP)
    assert champion is not None
    assert handler(EVENT, None)["Version"] == f"{GROUP}/{champion.number}" == f"{GROUP}/2"


def test_a_version_without_its_artifact_cannot_be_beaten(
    session: boto3.Session, capsys: pytest.CaptureFixture[str]
) -> None:
    group = Registry(session)
    first, second = group.register(1, "Approved"), group.register(2, "Approved")
    group.lose(second)
    assert handler(EVENT, None) == {"ModelDataUrl": first, "Version": f"{GROUP}/1"}
    assert f"{GROUP}/2 is approved, but its artifact {second} is gone" in capsys.readouterr().out
    group.lose(first)
    assert handler(EVENT, None)["Version"] == "none"


@pytest.mark.usefixtures("session")
def test_an_event_that_lacks_something_says_what() -> None:
    with pytest.raises(ValueError, match="the event lacks ModelDataUrl"):
        handler({"ModelPackageGroupName": GROUP}, None)


def test_what_aws_refuses_fails_the_step(moto_session: boto3.Session) -> None:
    session = moto_session
    session.client("s3").create_bucket(Bucket=BUCKET)
    Registry(session).register(1, "Approved")

    def denied(**_: object) -> None:
        raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadObject")

    session.events.register("before-call.s3.HeadObject", denied)
    try:
        with pytest.raises(ClientError, match="403"):
            handler(EVENT, None)
    finally:
        session.events.unregister("before-call.s3.HeadObject", denied)


def test_throttling_is_waited_out(moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    session = moto_session
    session.client("s3").create_bucket(Bucket=BUCKET)
    approved = Registry(session).register(1, "Approved")
    refusals = [3]

    def throttled(request: Any, **_: object) -> Any:
        if not refusals[0]:
            return None
        refusals[0] -= 1
        body = b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'
        headers: Any = {"Content-Type": "application/x-amz-json-1.1"}
        return AWSResponse(request.url, 400, headers, _Raw(body))

    session.events.register_first("before-send.sagemaker.ListModelPackages", throttled)
    try:
        assert handler(EVENT, None) == {"ModelDataUrl": approved, "Version": f"{GROUP}/1"}
    finally:
        session.events.unregister("before-send.sagemaker.ListModelPackages", throttled)
    assert refusals == [0]


class _Raw:
    """What botocore reads a response's body from."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Any:
        yield self._body
