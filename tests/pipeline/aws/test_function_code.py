"""Functions get the code of the checkout, once, and never over somebody else's unseen."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from pipeline.aws.function_code import changed, update
from pipeline.errors import UserError
from pipeline.functions import code_digest, names, package

DIGEST = code_digest(package("deploy"))
ASKED = {"FunctionName": "bincount-deploy"}


def placeholder() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("index.py", "raise RuntimeError('no code yet')")
    return buffer.getvalue()


@pytest.fixture
def account(moto_session: boto3.Session) -> boto3.Session:
    """Return an account whose functions have no code of ours yet."""
    trust = '{"Version": "2012-10-17", "Statement": []}'
    iam: Any = moto_session.client("iam")
    role = iam.create_role(RoleName="bincount-deploy", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    client: Any = moto_session.client("lambda")
    for name in names():
        client.create_function(
            FunctionName=f"bincount-{name}",
            Runtime="python3.13",
            Role=role,
            Handler=f"{name}.handler.handler",
            Code={"ZipFile": placeholder()},
        )
    return moto_session


def test_all_are_changed_and_then_none(account: boto3.Session) -> None:
    assert changed(account) == names()
    update(account, "deploy")
    assert changed(account) == [name for name in names() if name != "deploy"]
    for name in names():
        update(account, name)
    assert changed(account) == []


def test_a_function_of_no_stack(moto_session: boto3.Session) -> None:
    with pytest.raises(UserError, match=r"no function bincount-\w+ in us-east-1: run `bincount bootstrap`"):
        changed(moto_session)
    with pytest.raises(UserError, match=r"no function bincount-deploy in us-east-1: run `bincount bootstrap`"):
        update(moto_session, "deploy")


def about(digest: str = "other", update: str = "Successful", state: str = "Active", **more: str) -> dict[str, str]:
    return {"CodeSha256": digest, "LastUpdateStatus": update, "State": state, "RevisionId": "r1", **more}


@pytest.fixture
def service() -> Iterator[Stubber]:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    with Stubber(session.client("lambda")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def send(service: Stubber) -> Callable[[], list[float]]:
    """Return a function that updates `deploy` by what the service is to answer, and returns how long it waited."""

    def sent() -> list[float]:
        session, waits = Mock(spec=boto3.Session), list[float]()
        session.client.return_value = service.client
        update(session, "deploy", sleep=waits.append)
        return waits

    return sent


def looks(service: Stubber, *answers: dict[str, str]) -> None:
    for answer in answers:
        service.add_response("get_function_configuration", answer, ASKED)


def update_is_asked(service: Stubber) -> None:
    request = {**ASKED, "ZipFile": package("deploy"), "RevisionId": "r1"}
    service.add_response("update_function_code", about(DIGEST, "InProgress"), request)


def test_an_update_waits_until_the_code_runs(service: Stubber, send: Callable[[], list[float]]) -> None:
    looks(service, about(state="Pending"), about(update="InProgress"), about())
    update_is_asked(service)
    looks(service, about(DIGEST, "InProgress"), about(DIGEST))
    assert send() == [0.5, 1.0, 0.5]


def test_code_that_is_there_is_not_sent_again(service: Stubber, send: Callable[[], list[float]]) -> None:
    looks(service, about(DIGEST))
    assert send() == []


@pytest.mark.parametrize("code", ["PreconditionFailedException", "ResourceConflictException"])
def test_who_updates_at_the_same_time_is_not_overwritten(
    service: Stubber, send: Callable[[], list[float]], code: str
) -> None:
    looks(service, about())
    service.add_client_error("update_function_code", code)
    looks(service, about("theirs"))
    with pytest.raises(UserError, match="somebody else has just given bincount-deploy other code"):
        send()


def test_two_that_send_the_same_code_are_both_content(service: Stubber, send: Callable[[], list[float]]) -> None:
    looks(service, about())
    service.add_client_error("update_function_code", "PreconditionFailedException")
    looks(service, about(DIGEST, "InProgress"), about(DIGEST))
    send()


def test_what_lambda_cannot_do_is_said(service: Stubber, send: Callable[[], list[float]]) -> None:
    looks(service, about())
    update_is_asked(service)
    looks(service, about(DIGEST, "Failed", LastUpdateStatusReason="the role is gone"))
    with pytest.raises(UserError, match="Lambda could not update bincount-deploy: the role is gone"):
        send()


def test_an_update_that_failed_before_is_tried_again(service: Stubber, send: Callable[[], list[float]]) -> None:
    looks(service, about(update="Failed"))
    update_is_asked(service)
    looks(service, about(DIGEST))
    assert send() == []


def test_an_update_that_never_ends_is_given_up(service: Stubber, send: Callable[[], list[float]]) -> None:
    looks(service, *[about(update="InProgress")] * 64)
    with pytest.raises(UserError, match=r"still being updated after 30\d s"):
        send()


def test_a_denied_update_says_what_is_denied(service: Stubber, send: Callable[[], list[float]]) -> None:
    looks(service, about())
    service.add_client_error("update_function_code", "AccessDeniedException", "not yours")
    with pytest.raises(UserError, match=r"AWS denies UpdateFunctionCode: .*not yours") as raised:
        send()
    assert isinstance(raised.value.__cause__, ClientError)
