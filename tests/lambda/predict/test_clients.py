from __future__ import annotations

import boto3
import pytest
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
