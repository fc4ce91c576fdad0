"""`bootstrap` as a user types it, on moto with the stack's real template."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from pipeline.aws import inspection, stack
from pipeline.aws.installing import changesets
from pipeline.cli import installing
from pipeline.errors import UserError
from pipeline.functions import code_digest, names, package

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called

Call = Callable[..., "Called"]
NEXT = "next: `bincount run --profile dev --target aws --dry-run` shows what a first execution would do and cost"
IDENTITY = "account 123456789012, region us-east-1, as arn:aws:sts::123456789012:user/moto"


@pytest.fixture
def account(home: Path, moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    monkeypatch.setattr(inspection, "connect", lambda: moto_session)
    return moto_session


@pytest.fixture
def cloudformation(account: boto3.Session) -> Any:
    return account.client("cloudformation")


@pytest.fixture
def made(account: boto3.Session, call: Call) -> boto3.Session:
    assert call("bootstrap", "--yes").code == 0
    return account


def about(cloudformation: Any) -> Any:
    return cloudformation.describe_stacks(StackName="bincount")["Stacks"][0]


def test_an_empty_account_gets_everything(cloudformation: Any, account: boto3.Session, call: Call) -> None:
    called = call("bootstrap", "--yes", "-p", "LogDays=30")
    assert called.code == 0, called
    rows = [line.split("\t") for line in called.lines if "\t" in line]
    assert ["Add", "Bucket", "AWS::S3::Bucket", ""] in rows
    assert called.err.splitlines()[0] == IDENTITY
    assert "create complete" in called.err
    assert called.err.splitlines()[-1] == NEXT
    assert about(cloudformation)["EnableTerminationProtection"] is True
    client: Any = account.client("lambda")
    for name in names():
        code = client.get_function_configuration(FunctionName=f"bincount-{name}")["CodeSha256"]
        assert code == code_digest(package(name))
    assert stack.installation(account).outputs["Bucket"] == "bincount-123456789012-us-east-1"
    assert "bincount-123456789012-us-east-1" in called.out


def test_the_second_time_there_is_nothing_to_do(made: boto3.Session, call: Call) -> None:
    called = call("bootstrap", "--yes")
    assert called.code == 0, called
    assert called.err.splitlines() == [IDENTITY, "the stack is as the template says", NEXT]


def test_a_parameter_is_changed_and_the_others_stay(cloudformation: Any, account: boto3.Session, call: Call) -> None:
    assert call("bootstrap", "--yes", "-p", "LogDays=30").code == 0
    called = call("bootstrap", "--yes", "-p", "CaptureDays=10")
    assert called.code == 0, called
    values = {one["ParameterKey"]: one["ParameterValue"] for one in about(cloudformation)["Parameters"]}
    assert (values["LogDays"], values["CaptureDays"]) == ("30", "10")


def test_a_dry_run_leaves_nothing(cloudformation: Any, call: Call) -> None:
    called = call("bootstrap", "--dry-run")
    assert called.code == 0, called
    assert [line.split("\t")[0] for line in called.lines] == ["Add"] * len(called.lines)
    assert cloudformation.describe_stacks()["Stacks"] == []


def test_a_dry_run_leaves_the_change_sets_of_others(cloudformation: Any, account: boto3.Session, call: Call) -> None:
    theirs = changesets.propose(account, installing._template(), {})
    assert theirs is not None
    assert call("bootstrap", "--dry-run").code == 0
    listed = cloudformation.list_change_sets(StackName="bincount")["Summaries"]
    assert [one["ChangeSetId"] for one in listed] == [theirs.arn]


def test_what_was_only_reviewed_is_made(cloudformation: Any, account: boto3.Session, call: Call) -> None:
    changesets.propose(account, installing._template(), {})
    assert about(cloudformation)["StackStatus"] == "REVIEW_IN_PROGRESS"
    called = call("bootstrap", "--yes")
    assert called.code == 0, called
    assert about(cloudformation)["StackStatus"] == "CREATE_COMPLETE"


def test_of_two_at_once_one_goes_on_and_the_other_is_told(account: boto3.Session, made: boto3.Session) -> None:
    template = installing._template()
    one = changesets.propose(account, template, {"LogDays": "30"})
    other = changesets.propose(account, template, {"LogDays": "60"})
    assert one is not None
    assert other is not None
    changesets.execute(account, one)
    with pytest.raises(UserError, match="somebody else has changed the stack bincount since"):
        changesets.execute(account, other)


def put_status(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    from moto.cloudformation.models import cloudformation_backends

    for one in cloudformation_backends["123456789012"]["us-east-1"].stacks.values():
        monkeypatch.setattr(one, "status", status)


def test_a_busy_stack_is_left_to_who_changes_it(
    made: boto3.Session, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_status(monkeypatch, "UPDATE_IN_PROGRESS")
    called = call("bootstrap", "--yes")
    assert called.code == 1
    assert called.err.endswith("error: somebody else is changing the stack bincount (UPDATE_IN_PROGRESS): "
                               "try again when that has ended\n")  # fmt: skip


def test_a_stack_that_could_not_be_made_is_deleted_first(
    cloudformation: Any, made: boto3.Session, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = about(cloudformation)["StackId"]
    put_status(monkeypatch, "ROLLBACK_COMPLETE")
    assert "without --dry-run asks" in call("bootstrap", "--dry-run").err
    assert "there is no terminal" in call("bootstrap").err
    called = call("bootstrap", "--yes")
    assert called.code == 0, called
    assert "the stack is ROLLBACK_COMPLETE: nothing can be done with it but to delete it" in called.err
    assert about(cloudformation)["StackId"] != before


def test_what_fails_is_said_in_one_line(cloudformation: Any, account: boto3.Session, call: Call) -> None:
    s3: Any = account.client("s3", region_name="us-west-2")
    # Somebody else has a bucket of this name.
    configuration = {"LocationConstraint": "us-west-2"}
    s3.create_bucket(Bucket="bincount-123456789012-us-east-1", CreateBucketConfiguration=configuration)
    called = call("bootstrap", "--yes")
    assert called.code == 1
    assert called.err.splitlines()[-1].startswith(
        "error: the stack is ROLLBACK_COMPLETE: Something (AWS::S3::Bucket): "
    )


def test_a_parameter_that_is_none(account: boto3.Session, call: Call) -> None:
    called = call("bootstrap", "--yes", "-p", "LogDay=30")
    assert called.code == 1
    assert "LogDays?" in called.err
    assert "error: the stack has no parameter LogDay" in called.err


def test_the_accounts_own_provider_for_github_is_taken(cloudformation: Any, account: boto3.Session, call: Call) -> None:
    iam: Any = account.client("iam")
    url = "https://token.actions.githubusercontent.com"
    arn = iam.create_open_id_connect_provider(Url=url, ClientIDList=["sts.amazonaws.com"])["OpenIDConnectProviderArn"]
    called = call("bootstrap", "--yes", "-p", "CiSubject=repo:me/bincount:ref:refs/heads/main")
    assert called.code == 0, called
    values = {one["ParameterKey"]: one["ParameterValue"] for one in about(cloudformation)["Parameters"]}
    assert values["OidcProviderArn"] == arn


def test_no_credentials(home: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspection, "connect", lambda: boto3.Session(region_name="us-east-1"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(home / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    called = call("bootstrap", "--yes")
    assert (called.code, called.out) == (1, "")
    assert called.err.startswith("error: there are no AWS credentials: run `aws configure` or `aws sso login`")


def test_no_region(home: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / "none"))
    monkeypatch.setattr(inspection, "connect", lambda: boto3.Session("test", "test"))
    assert call("bootstrap").err.startswith("error: no AWS region is set: set AWS_DEFAULT_REGION")
