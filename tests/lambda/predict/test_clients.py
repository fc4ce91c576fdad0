from __future__ import annotations

import re
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.loaders import Loader

from predict import clients


@pytest.fixture
def _no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has set up boto3's default session, as in Lambda."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")


@pytest.mark.usefixtures("_no_session")
def test_a_cold_start_looks_through_no_folder_of_services(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Loader, "list_available_services", lambda *_: pytest.fail("it lists the folders"))
    assert clients.s3().meta.service_model.service_name == "s3"
    assert clients.runtime().meta.service_model.service_name == "sagemaker-runtime"


@pytest.mark.usefixtures("_no_session")
def test_both_clients_are_of_one_session() -> None:
    clients.s3()
    session = boto3.DEFAULT_SESSION
    clients.runtime()
    assert boto3.DEFAULT_SESSION is session is not None


def test_a_session_that_is_set_up_already_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    session = boto3.Session(aws_access_key_id="a", aws_secret_access_key="b", region_name="eu-west-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    assert clients.runtime().meta.region_name == "eu-west-1"
    assert boto3.DEFAULT_SESSION is session


def signed(client: Any) -> list[tuple[str, str, str]]:
    """Return method, URL and scope of the signature of the request that a client would send for each of our calls."""
    found: list[tuple[str, str, str]] = []

    def keep(request: Any, **_: Any) -> AWSResponse:
        scope = re.search(r"Credential=([^,]+)", str(request.headers["Authorization"]))
        assert scope is not None
        found.append((request.method, request.url, scope[1]))
        return AWSResponse(request.url, 200, HTTPHeaders(), BytesIO())

    client.meta.events.register("before-send", keep)
    if client.meta.service_model.service_name == "s3":
        client.get_object(Bucket="the-bucket", Key="a photo.jpg")
        client.get_object(Bucket="the.bucket", Key="a photo.jpg")
    else:
        client.invoke_endpoint(EndpointName="bins", Body=b"photo")
    return found


@pytest.mark.usefixtures("_no_session")
@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "il-central-1"])
@pytest.mark.parametrize("variable", ["", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_ENDPOINT_URL"])
def test_every_region_is_asked_and_signed_for_as_boto3_does_by_itself(
    monkeypatch: pytest.MonkeyPatch, region: str, variable: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    if variable:
        monkeypatch.setenv(variable, "http://127.0.0.1:9" if variable.endswith("URL") else "true")
    if variable == "AWS_USE_FIPS_ENDPOINT" and region.startswith("cn-"):
        pytest.skip("there are none in China")
    plain: Any = boto3.Session()
    regional = Config(s3={"us_east_1_regional_endpoint": "regional"})
    for name, made in (("s3", clients.s3), ("sagemaker-runtime", clients.runtime)):
        asked = signed(made())
        assert asked == signed(plain.client(name, config=regional))
        assert all(region in scope for *_, scope in asked)
