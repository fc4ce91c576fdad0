"""Upserts and starts of several callers at once, in the local account and in moto's."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.aws import executions, inspection
from pipeline.aws.pipelines import INLINE_BYTES, Current, change_to, current, upsert
from pipeline.errors import UserError
from pipeline.local import aws as local_aws
from pipeline.local.home import Home

ROLE = "arn:aws:iam::000000000000:role/bincount-pipeline"
BUCKET = "bincount-local"
TAGS = {"project": "bincount"}


def text(message: str = "no") -> str:
    step = {"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": message}}
    return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": [], "Steps": [step]})


@pytest.fixture(params=["local", "moto"])
def account(request: pytest.FixtureRequest) -> Iterator[boto3.Session]:
    """Give an account of either kind with a bucket."""
    if request.param == "local":
        yield request.getfixturevalue("session")
        return
    session: boto3.Session = request.getfixturevalue("moto_session")
    client: Any = session.client("s3")
    client.create_bucket(Bucket=BUCKET)
    yield session


def ran(session: boto3.Session, arn: str) -> str:
    """Return the message in the definition that an execution runs."""
    return str(inspection.definition(session, arn)["Steps"][0]["Arguments"]["ErrorMessage"])


def test_upsert_creates_then_updates_then_leaves_alone(account: boto3.Session) -> None:
    assert current(account, "counts") is None
    made = upsert(account, "counts", text(), ROLE, TAGS, BUCKET)
    assert (made.change, made.version, made.overtaken_by) == ("new", 1, None)
    updated = upsert(account, "counts", text("later"), ROLE, {**TAGS, "stage": "dev"}, BUCKET)
    assert (updated.change, updated.version, updated.arn) == ("changed", 2, made.arn)
    same = upsert(account, "counts", text("later").replace(" ", ""), ROLE, TAGS, BUCKET)
    assert (same.change, same.version, same.arn) == ("same", 2, made.arn)
    tags = account.client("sagemaker").list_tags(ResourceArn=made.arn)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == {**TAGS, "stage": "dev"}


def test_another_role_is_a_change() -> None:
    now = Current("arn", text(), ROLE, 3)
    assert change_to(None, text(), ROLE) == "new"
    assert change_to(now, text(), ROLE) == "same"
    assert change_to(now, text(), f"{ROLE}-2") == "changed"
    assert change_to(now, text("other"), ROLE) == "changed"


def test_a_large_definition_goes_through_s3_under_its_contents_key(account: boto3.Session) -> None:
    large = text("x" * 100) + " " * INLINE_BYTES
    upsert(account, "counts", large, ROLE, TAGS, BUCKET)
    client: Any = account.client("s3")
    listed = client.list_objects_v2(Bucket=BUCKET, Prefix="definitions/")["Contents"]
    assert len(listed) == 1
    now = current(account, "counts")
    assert now is not None
    assert json.loads(now.definition) == json.loads(large)


def test_a_start_runs_the_version_that_it_names(account: boto3.Session) -> None:
    mine = upsert(account, "counts", text("mine"), ROLE, TAGS, BUCKET)
    upsert(account, "counts", text("theirs"), ROLE, TAGS, BUCKET)
    pinned = executions.start(account, "counts", {}, version=mine.version)
    assert ran(account, pinned) == "mine"
    assert ran(account, executions.start(account, "counts", {})) == "theirs"
    with pytest.raises(UserError, match="Version 9 of pipeline"):
        executions.start(account, "counts", {}, version=9)


class Between:
    """A client between whose calls something else happens, once, before or after the operation named."""

    def __init__(self, client: Any, operation: str, when: str, happen: Any) -> None:
        self._client, self._operation, self._when, self._happen = client, operation, when, happen

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)
        if name != self._operation:
            return call

        def interrupted(**request: Any) -> Any:
            happen, self._happen = self._happen, lambda: None
            if self._when == "before":
                happen()
            answer = call(**request)
            if self._when == "after":
                happen()
            return answer

        return interrupted


class Interrupted:
    """A session with such a client."""

    def __init__(self, session: boto3.Session, operation: str, when: str, happen: Any) -> None:
        self._client = Between(session.client("sagemaker"), operation, when, happen)

    def client(self, _service: str) -> Any:
        return self._client


MOMENTS = [
    (operation, when)
    for operation in ("list_pipeline_versions", "describe_pipeline", "update_pipeline", "create_pipeline")
    for when in ("before", "after")
]


@pytest.mark.parametrize("there", [False, True], ids=["new", "there"])
@pytest.mark.parametrize(("operation", "when"), MOMENTS)
def test_whatever_comes_in_between_each_starter_runs_its_own_definition(
    account: boto3.Session, operation: str, when: str, there: bool
) -> None:
    if there:
        upsert(account, "counts", text("old"), ROLE, TAGS, BUCKET)
    theirs: list[str] = []

    def other() -> None:
        done = upsert(account, "counts", text("theirs"), ROLE, TAGS, BUCKET)
        theirs.append(executions.start(account, "counts", {}, version=done.version))

    session: Any = Interrupted(account, operation, when, other)
    done = upsert(session, "counts", text("mine"), ROLE, TAGS, BUCKET)
    mine = executions.start(account, "counts", {}, version=done.version)
    assert ran(account, mine) == "mine"
    assert [ran(account, arn) for arn in theirs] == ["theirs"] * len(theirs)
    assert len(executions.executions(account, "counts")) == 1 + len(theirs)
    now = current(account, "counts")
    assert now is not None
    wins = json.loads(now.definition)["Steps"][0]["Arguments"]["ErrorMessage"]
    if done.overtaken_by is not None:
        assert (wins, done.overtaken_by) == ("theirs", now.version)


def test_an_update_in_the_way_of_another_is_tried_again(account: boto3.Session) -> None:
    upsert(account, "counts", text("old"), ROLE, TAGS, BUCKET)
    refusals = [ClientError({"Error": {"Code": "ConflictException", "Message": "busy"}}, "UpdatePipeline")] * 2

    def conflict() -> None:
        if refusals:
            raise refusals.pop()

    class Busy(Interrupted):
        def __init__(self) -> None:
            self._client = Between(account.client("sagemaker"), "update_pipeline", "before", conflict)

    session: Any = Busy()
    pauses: list[float] = []
    done = upsert(session, "counts", text("mine"), ROLE, TAGS, BUCKET, pauses.append)
    assert (done.change, done.version, pauses) == ("changed", 2, [0.5])


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("Unable to parse step End: bad", "SageMaker refuses step End in the definition of counts: Unable to parse"),
        ("Version is odd", "SageMaker refuses the definition of counts: Version is odd"),
        (f"Could not assume role {ROLE}.", f"AWS refuses CreatePipeline: SageMaker cannot assume {ROLE}: `bincount"),
    ],
)
def test_a_refused_definition_names_the_step(moto_session: boto3.Session, message: str, line: str) -> None:
    def refuse() -> None:
        raise ClientError({"Error": {"Code": "ValidationException", "Message": message}}, "CreatePipeline")

    session: Any = Interrupted(moto_session, "create_pipeline", "before", refuse)
    with pytest.raises(UserError) as caught:
        upsert(session, "counts", text(), ROLE, TAGS, BUCKET)
    assert str(caught.value).startswith(line)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["upsert", "start"])), max_size=12))
def test_any_order_of_upserts_and_starts_loses_no_execution(steps: list[tuple[str, str]]) -> None:
    """Callers a, b and c send their own definition and start what they sent, in any order."""
    with tempfile.TemporaryDirectory() as folder:
        session = local_aws.session(Home(Path(folder)), lambda _home, _arn: os.getpid())
        sent: dict[str, int | None] = {}
        started: list[tuple[str, str]] = []
        for who, what in steps:
            if what == "upsert":
                sent[who] = upsert(session, "counts", text(who), ROLE, {}, BUCKET).version
            elif who in sent:
                started.append((executions.start(session, "counts", {}, version=sent[who]), who))
        assert [(arn, ran(session, arn)) for arn, _ in started] == started
        if started:
            assert len(executions.executions(session, "counts")) == len(started)
