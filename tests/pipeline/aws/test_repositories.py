import base64

import boto3
import pytest

from pipeline.aws.repositories import account, login, missing
from pipeline.errors import UserError
from tests.manifests import put_image

REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def test_missing_is_what_ecr_has_not(moto_session: boto3.Session) -> None:
    put_image(moto_session, "bincount-training", "train-1", region="eu-west-1")
    here, absent = f"{REGISTRY}/bincount-training:train-1", f"{REGISTRY}/bincount-training:train-2"
    assert missing(moto_session, [here, absent]) == [absent]
    assert missing(moto_session, []) == []


def test_a_repository_that_is_not_there_is_bootstrap_s_to_make(moto_session: boto3.Session) -> None:
    with pytest.raises(UserError, match="no repository bincount-training in eu-west-1: run `bincount bootstrap`"):
        missing(moto_session, [f"{REGISTRY}/bincount-training:train-1"])


@pytest.mark.parametrize("uri", ["docker.io/library/python:3.11", "bincount-training:1", f"x{REGISTRY}/a:1", ""])
def test_other_registries_are_not_asked(moto_session: boto3.Session, uri: str) -> None:
    with pytest.raises(UserError, match="is no registry of Amazon ECR"):
        missing(moto_session, [uri])


def test_login_gives_the_password_alone(moto_session: boto3.Session) -> None:
    token = moto_session.client("ecr", region_name="eu-west-1").get_authorization_token()
    whole = base64.b64decode(token["authorizationData"][0]["authorizationToken"]).decode()
    assert whole == f"AWS:{login(moto_session, REGISTRY)}"


def test_the_registry_is_of_the_caller_s_account_and_region(moto_session: boto3.Session) -> None:
    assert account(moto_session) == ("123456789012", "us-east-1")


def test_without_region_the_advice_is_to_set_one(moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    with pytest.raises(UserError, match="no AWS region is set"):
        account(boto3.Session(aws_access_key_id="test", aws_secret_access_key="test"))
