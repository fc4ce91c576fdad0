"""A watch whose session expires, or whose network breaks, and that goes on afterwards; moto answers in between."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.credentials import Credentials
from botocore.exceptions import EndpointConnectionError, UnauthorizedSSOTokenError

from pipeline.aws import executions, inspection
from pipeline.aws.credentials import RenewableCredentials, make_renewable, renew
from pipeline.aws.outages import PATIENCE_SECONDS, Outage
from pipeline.aws.pipelines import upsert
from pipeline.errors import UserError
from tests import moto_pipelines

OLD, NEW = "AKIAOLDOLDOLDOLDOLDO", "AKIANEWNEWNEWNEWNEWN"
DEFINITION = '{"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": []}'
ROLE = "arn:aws:iam::123456789012:role/bincount-pipeline"


class _Raw:
    """A body as the HTTP client gives it."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_: Any) -> Any:
        yield self._content


class Aws:
    """What stands between a session and moto."""

    def __init__(self, session: boto3.Session, arn: str) -> None:
        self.session, self.arn = session, arn
        self.expired: set[str] = set()
        self.down = False
        self.fault = False
        self.said: list[str] = []
        self.pauses = 0
        emitter: Any = session.events
        emitter.register_first("before-send.sagemaker", self._meet)

    def _meet(self, request: Any, **_: Any) -> Any:
        if self.down:
            raise EndpointConnectionError(endpoint_url=request.url)
        if self.fault:
            return self._answer(request, 503, "ServiceUnavailable")
        if any(key in str(request.headers["Authorization"]) for key in self.expired):
            return self._answer(request, 400, "ExpiredTokenException")
        return None

    @staticmethod
    def _answer(request: Any, status: int, code: str) -> Any:
        body, headers = _Raw(json.dumps({"__type": code, "message": "no"}).encode()), {"x-amzn-errortype": code}
        made: Any = AWSResponse
        return made(request.url, status, headers, body)

    def watch(self, after: dict[int, Callable[[], object]], **options: Any) -> list[str]:
        """Watch the execution; `after` so many pauses something happens. Return the statuses that were seen."""

        def sleep(_: float) -> None:
            self.pauses += 1
            assert self.pauses < 50, "it would never end"
            after.get(self.pauses, lambda: None)()

        outage = Outage(self.session, self.arn, self.said.append, **options)
        return [one.status for one in executions.watch(self.session, self.arn, 0.0, sleep, outage)]

    def expire(self) -> None:
        self.expired.add(OLD)

    def end(self) -> None:
        moto_pipelines.end(self.arn)


@pytest.fixture
def environment(moto_session: boto3.Session) -> Iterator[pytest.MonkeyPatch]:
    """Give an environment without keys, which is as moto left it before moto takes its own away."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        patch.setenv("AWS_MAX_ATTEMPTS", "1")
        yield patch


@pytest.fixture
def keys(tmp_path: Path, environment: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that writes keys to the file that `aws configure` writes."""
    environment.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    environment.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))

    def write(key: str) -> None:
        (tmp_path / "credentials").write_text(f"[default]\naws_access_key_id={key}\naws_secret_access_key=x\n")

    return write


def aws(session: boto3.Session) -> Aws:
    upsert(session, "counts", DEFINITION, ROLE, {"project": "bincount"}, "bucket")
    return Aws(session, executions.start(session, "counts", {}))


def test_keys_of_a_file_are_read_again_once_they_are_renewed(keys: Callable[[str], None]) -> None:
    keys(OLD)
    world = aws(inspection.connect())
    seen = world.watch({1: world.expire, 4: lambda: keys(NEW), 6: world.end})
    assert seen == ["Executing", "Succeeded"]
    assert [text.partition(":")[0] for text in world.said] == ["the AWS session has expired", ""]
    assert "sign in again in another terminal" in world.said[0]


def test_keys_of_the_environment_give_way_to_those_of_a_file(
    keys: Callable[[str], None], environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("AWS_ACCESS_KEY_ID", OLD)
    environment.setenv("AWS_SECRET_ACCESS_KEY", "x")
    world = aws(inspection.connect())
    seen = world.watch({1: world.expire, 4: lambda: keys(NEW), 6: world.end})
    assert seen == ["Executing", "Succeeded"]
    assert world.said[0].startswith("the AWS keys in this terminal's environment have expired")


def test_keys_of_the_environment_that_nobody_can_renew_are_the_end(
    keys: Callable[[str], None], environment: pytest.MonkeyPatch
) -> None:
    environment.setenv("AWS_ACCESS_KEY_ID", OLD)
    environment.setenv("AWS_SECRET_ACCESS_KEY", "x")
    world = aws(inspection.connect())
    with pytest.raises(UserError, match="AWS does not accept the credentials"):
        world.watch({1: world.expire}, attended=False)
    assert world.said == []


def test_a_session_that_cannot_be_refreshed_waits_for_a_login(keys: Callable[[str], None]) -> None:
    keys(OLD)
    world = aws(inspection.connect())

    class SignedOut(Credentials):
        def get_frozen_credentials(self) -> Any:
            raise UnauthorizedSSOTokenError

    held: Any = world.session.get_credentials()

    def sign_out() -> None:
        keys("")
        held.replace(SignedOut(OLD, "x", method="sso"))

    seen = world.watch({1: sign_out, 4: lambda: keys(NEW), 6: world.end})
    assert seen == ["Executing", "Succeeded"]
    assert world.said[0].startswith("the AWS session has expired")


def test_keys_of_another_account_are_not_taken(keys: Callable[[str], None]) -> None:
    keys(OLD)
    session = inspection.connect()
    keys(NEW)
    held = session.get_credentials()
    assert not renew(session, "999999999999")
    assert held is not None
    assert held.get_frozen_credentials().access_key == OLD
    assert renew(session, "123456789012")
    assert held.get_frozen_credentials().access_key == NEW


def test_a_session_with_keys_of_its_own_cannot_be_renewed(keys: Callable[[str], None]) -> None:
    session = boto3.Session(aws_access_key_id=OLD, aws_secret_access_key="x", region_name="us-east-1")
    assert not renew(session, "123456789012")
    make_renewable(session)
    assert isinstance(session.get_credentials(), RenewableCredentials)


@pytest.mark.parametrize("what", ["down", "fault"])
def test_a_break_is_ridden_out(keys: Callable[[str], None], what: str) -> None:
    keys(NEW)
    world = aws(inspection.connect())
    seen = world.watch({1: lambda: setattr(world, what, True), 4: lambda: setattr(world, what, False), 6: world.end})
    assert seen == ["Executing", "Succeeded"]
    assert world.said == ["AWS cannot be reached; watching goes on as soon as it can", ""]


def test_patience_ends(keys: Callable[[str], None]) -> None:
    keys(NEW)
    world = aws(inspection.connect())
    world.down = True
    with pytest.raises(UserError, match="AWS cannot be reached"):
        world.watch({}, clock=iter([0.0, PATIENCE_SECONDS]).__next__)


def test_other_errors_are_not_borne(keys: Callable[[str], None]) -> None:
    keys(NEW)
    world = aws(inspection.connect())
    assert not Outage(world.session, world.arn, print).bear(ZeroDivisionError())
