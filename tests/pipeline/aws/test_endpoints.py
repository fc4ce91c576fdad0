from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from pipeline.aws.endpoints import BODY_BYTES, RefusedError, describe, endpoints, predict
from pipeline.aws.models import Verdict
from pipeline.errors import UserError

if TYPE_CHECKING:
    from tests.extended_moto import Endpoints

ROLE = "arn:aws:iam::123456789012:role/bincount-model"
CONTAINER = {"Image": "image", "ModelDataUrl": "s3://bucket/model.tar.gz"}


def put_config(session: boto3.Session, name: str) -> None:
    client: Any = session.client("sagemaker")
    client.create_model(ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=CONTAINER)
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 2, "InstanceType": "ml.m5.large"}
    client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])


def put_version(session: boto3.Session, **metadata: str) -> None:
    client: Any = session.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="bincount-demo")
    client.create_model_package(ModelPackageGroupName="bincount-demo", CustomerMetadataProperties=metadata)


def test_an_endpoint_says_what_it_serves(moto_session: boto3.Session, moto_endpoints: Endpoints) -> None:
    client: Any = moto_session.client("sagemaker")
    put_version(moto_session, StagingStatus="Passed", StagingTime="2026-11-22T12:00:00Z", ProductionStatus="Failed")
    for name in ("bincount-demo-staging-v1-0123abcd", "theirs", "bincount-demo-staging-v2-0123abcd"):
        put_config(moto_session, name)
    client.create_endpoint(EndpointName="bincount-demo-staging", EndpointConfigName="bincount-demo-staging-v1-0123abcd")
    client.create_endpoint(EndpointName="bincount-demo-production", EndpointConfigName="theirs")
    client.create_endpoint(EndpointName="bincount-else", EndpointConfigName="theirs")
    client.create_endpoint(EndpointName="other-staging", EndpointConfigName="theirs")
    production, staging = endpoints(moto_session, "bincount-")
    assert (production.name, production.version, production.verdict) == ("bincount-demo-production", None, Verdict())
    assert (staging.group, staging.stage, staging.status) == ("bincount-demo", "staging", "InService")
    assert (staging.version, staging.pending, staging.instances, staging.desired) == (1, None, 2, 2)
    assert staging.verdict == Verdict("Passed", "", "2026-11-22T12:00:00Z")
    assert [one.name for one in endpoints(moto_session)][-1] == "other-staging"
    moto_endpoints.state("bincount-demo-staging", "RollingBack", "alarm")
    found = describe(moto_session, "bincount-demo-staging")
    assert found is not None
    assert (found.busy, found.reason) == (True, "alarm")


def test_an_endpoint_that_is_not_there_is_none(moto_session: boto3.Session) -> None:
    assert describe(moto_session, "bincount-demo-staging") is None
    assert endpoints(moto_session) == []
    with pytest.raises(UserError, match="no endpoint of ours: those end with -staging or -production"):
        describe(moto_session, "bincount-demo")


def test_a_version_that_was_deleted_has_no_verdict(moto_session: boto3.Session) -> None:
    put_config(moto_session, "bincount-demo-staging-v9-0123abcd")
    client: Any = moto_session.client("sagemaker")
    client.create_endpoint(EndpointName="bincount-demo-staging", EndpointConfigName="bincount-demo-staging-v9-0123abcd")
    assert [(one.version, one.verdict) for one in endpoints(moto_session)] == [(9, Verdict())]


@pytest.fixture
def stubbed(kept_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Stubber:
    client = kept_session.client("sagemaker-runtime")
    monkeypatch.setattr(kept_session, "client", lambda _: client)
    stubber = Stubber(client)
    stubber.activate()
    return stubber


REQUEST = {"EndpointName": "e", "ContentType": "image/png", "Accept": "application/json", "Body": b"photo"}


def test_a_photo_goes_out_and_the_answer_comes_back(kept_session: boto3.Session, stubbed: Stubber) -> None:
    for body in (b'{"predicted_label": "3"}', b"[]", b"oops", b"\xff"):
        stubbed.add_response("invoke_endpoint", {"Body": StreamingBody(io.BytesIO(body), len(body))}, REQUEST)
    assert predict(kept_session, "e", b"photo", "image/png") == {"predicted_label": "3"}
    for _ in range(3):
        with pytest.raises(UserError, match=r"^e answers with no JSON object$"):
            predict(kept_session, "e", b"photo", "image/png")


@pytest.mark.parametrize(
    ("message", "more", "line"),
    [
        ("m", {"OriginalStatusCode": 415, "OriginalMessage": '{"error": "not a\\n picture"}'}, "not a picture (415)"),
        ("m", {"OriginalStatusCode": 500, "OriginalMessage": "<html>"}, "<html> (500)"),
        ("m", {"OriginalStatusCode": 400, "OriginalMessage": "[1]"}, "[1] (400)"),
        (
            'Received client error (415) from primary with message "{"error": "no picture"}". See https://x for more.',
            {},
            "no picture (415)",
        ),
        ("Received nothing.", {}, "Received nothing."),
    ],
)
def test_an_error_of_the_model_is_one_line(
    message: str, more: dict[str, Any], line: str, kept_session: boto3.Session, stubbed: Stubber
) -> None:
    stubbed.add_client_error("invoke_endpoint", "ModelError", message, modeled_fields=more)
    with pytest.raises(RefusedError) as caught:
        predict(kept_session, "e", b"photo", "image/png")
    assert str(caught.value) == line


def test_an_endpoint_that_does_not_answer_is_no_fault_of_the_photo(
    kept_session: boto3.Session, stubbed: Stubber
) -> None:
    stubbed.add_client_error("invoke_endpoint", "ValidationError", "Endpoint e of account 1 not found.")
    with pytest.raises(UserError, match="not found") as caught:
        predict(kept_session, "e", b"photo", "image/png")
    assert not isinstance(caught.value, RefusedError)


def test_a_photo_over_the_limit_is_not_sent(kept_session: boto3.Session, stubbed: Stubber) -> None:
    with pytest.raises(RefusedError, match="larger than the 6 MiB"):
        predict(kept_session, "e", bytes(BODY_BYTES + 1), "image/png")
