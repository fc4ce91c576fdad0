from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ConnectTimeoutError, EndpointConnectionError
from botocore.stub import Stubber

from pipeline.local import aws
from pipeline.local.home import Home
from predict import clients, s3
from predict.errors import RefusalError
from predict.limits import LARGEST_PHOTO

BUCKET = "bincount-local"  # the local account has it from the start


@pytest.fixture(params=["local AWS", "moto"])
def account(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    """Give the default session of an account with two buckets."""
    if request.param == "moto":
        session: boto3.Session = request.getfixturevalue("moto_session")
        session.client("s3").create_bucket(Bucket=BUCKET)
    else:
        session = aws.session(Home(tmp_path / "home"))
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    session.client("s3").create_bucket(Bucket="secrets")
    session.client("s3").put_object(Bucket="secrets", Key="photo.jpg", Body=b"secret")
    return session


def refusal(uri: str, allowed: set[str] | None = None) -> RefusalError:
    with pytest.raises(RefusalError) as caught:
        s3.read(uri, {BUCKET} if allowed is None else allowed)
    return caught.value


def test_an_object_of_an_allowed_bucket_is_read(account: boto3.Session) -> None:
    for key in ("a/photo.jpg", "a?b#c %20.jpg"):
        account.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"photo")
        assert s3.read(f"s3://{BUCKET}/{key}", {BUCKET}) == b"photo"


def test_other_buckets_are_refused_alike_whether_or_not_they_exist(account: boto3.Session) -> None:
    uris = ["s3://secrets/photo.jpg", "s3://secrets/none", "s3://nothing/photo.jpg", f"s3://{BUCKET}-2/a", "s3://*/a"]
    refused = [refusal(uri) for uri in uris] + [refusal(f"s3://{BUCKET}/a", set())]
    assert {(one.status, one.message) for one in refused} == {(403, "the bucket of s3_uri is not allowed")}


def test_an_object_that_is_not_there(account: boto3.Session) -> None:
    assert refusal(f"s3://{BUCKET}/none.jpg").status == 400


def test_an_object_over_the_limit_is_not_read(account: boto3.Session) -> None:
    account.client("s3").put_object(Bucket=BUCKET, Key="a", Body=bytes(LARGEST_PHOTO + 1))
    assert refusal(f"s3://{BUCKET}/a").status == 413
    account.client("s3").put_object(Bucket=BUCKET, Key="a", Body=bytes(LARGEST_PHOTO))
    assert len(s3.read(f"s3://{BUCKET}/a", {BUCKET})) == LARGEST_PHOTO


@pytest.mark.parametrize(
    "uri", ["", "s3://", f"s3://{BUCKET}", f"s3://{BUCKET}/", "s3:///key", f"{BUCKET}/a", f"S3://{BUCKET}/a"]
)
def test_a_uri_names_bucket_and_key(uri: str) -> None:
    assert refusal(uri).status == 400
    assert refusal(f"s3://{BUCKET}/{'a' * 1025}").status == 400
    assert refusal(f"s3://{BUCKET}/half a pair \ud800").status == 400


@pytest.mark.parametrize(
    ("code", "status"),
    [("AccessDenied", 400), ("InvalidObjectState", 400), ("KMS.DisabledException", 502), ("InternalError", 502)],
)
def test_what_s3_refuses(code: str, status: int, moto_session: boto3.Session) -> None:
    with Stubber(clients.s3()) as stub:
        stub.add_client_error("get_object", code, "arn:aws:iam::123456789012:role/inner is not authorized")
        refused = refusal(f"s3://{BUCKET}/a")
    assert (refused.status, "arn" in refused.message) == (status, False)


@pytest.mark.parametrize(
    ("raised", "status"),
    [(ConnectTimeoutError(endpoint_url="inner"), 504), (EndpointConnectionError(endpoint_url="inner"), 502)],
)
def test_an_s3_that_does_not_answer(
    raised: Exception, status: int, moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def get_object(**_: object) -> None:
        raise raised

    monkeypatch.setattr(clients.s3(), "get_object", get_object)
    refused = refusal(f"s3://{BUCKET}/a")
    assert (refused.status, "inner" in refused.message) == (status, False)
