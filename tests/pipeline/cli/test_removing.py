"""`teardown` as a user types it, on moto with the stack's real template and neighbours that are nobody's of ours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from pipeline.aws import executions, inspection
from pipeline.aws.removing import executor
from tests import moto_pipelines

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called

Call = Callable[..., "Called"]
BUCKET, OTHERS = "bincount-123456789012-us-east-1", "bincount-of-somebody-else"
ROLE = "arn:aws:iam::123456789012:role/bincount-pipeline"
DEFINITION = '{"Version": "2020-12-01", "Steps": []}'
TEARDOWN = ("teardown", "--stack", "bincount")


@pytest.fixture
def account(home: Path, moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    """Return an account with neighbours whose names look like ours."""
    monkeypatch.setattr(inspection, "connect", lambda: moto_session)
    monkeypatch.setattr("pipeline.cli.removing._SECONDS", 0.0)
    moto_session.client("s3").create_bucket(Bucket=OTHERS)
    moto_session.client("s3").put_object(Bucket=OTHERS, Key="keep", Body=b"")
    moto_session.client("ecr").create_repository(repositoryName="bincount-else")
    sagemaker: Any = moto_session.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="bincount-else")
    put_version(moto_session, "bincount-else")
    sagemaker.create_pipeline(
        PipelineName="bincount-else", PipelineDefinition=DEFINITION, RoleArn=ROLE, ClientRequestToken="e" * 32
    )
    moto_session.client("logs").create_log_group(logGroupName="/aws/sagemaker/TrainingJobs")
    return moto_session


@pytest.fixture
def used(account: boto3.Session, call: Call) -> boto3.Session:
    """Return the account with an installation that has been used."""
    assert call("bootstrap", "--yes").code == 0
    s3: Any = account.client("s3")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})  # moto's stacks do not
    for number in range(3):
        s3.put_object(Bucket=BUCKET, Key="data/photo.jpg", Body=bytes([number]))
    s3.delete_object(Bucket=BUCKET, Key="data/photo.jpg")
    s3.put_object(Bucket=BUCKET, Key="bincount/executions/a/model.tar.gz", Body=b"model")
    ecr: Any = account.client("ecr")
    for tag in ("train-1", "train-2"):
        ecr.put_image(repositoryName="bincount-training", imageManifest=manifest(tag), imageTag=tag)
    put_version(account, "bincount-dev")
    account.client("sagemaker").create_pipeline(
        PipelineName="bincount-dev",
        PipelineDefinition=DEFINITION,
        RoleArn=ROLE,
        Tags=[{"Key": "project", "Value": "bincount"}],
        ClientRequestToken="t" * 32,
    )
    account.client("logs").create_log_group(logGroupName="/aws/sagemaker/Endpoints/bincount-dev-staging")
    return account


@pytest.fixture
def given_on(used: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return IAM, with a policy of the stack's on a user, a group and a role of others, and as strict as AWS is."""
    from pipeline.aws.installing import removal

    client: Any = used.client("iam")
    policy = "arn:aws:iam::123456789012:policy/bincount-operator"
    client.create_user(UserName="ann")
    client.create_group(GroupName="operators")
    client.create_role(RoleName="else", AssumeRolePolicyDocument="{}")
    client.attach_user_policy(UserName="ann", PolicyArn=policy)
    client.attach_group_policy(GroupName="operators", PolicyArn=policy)
    client.attach_role_policy(RoleName="else", PolicyArn=policy)
    delete = removal.delete_stack

    def strictly(session: boto3.Session, tell: Callable[[str], None]) -> None:
        entities = client.list_entities_for_policy(PolicyArn=policy)
        attached = [who for kind in ("Users", "Groups", "Roles") for who in entities[f"Policy{kind}"]]
        assert not attached  # IAM answers with a DeleteConflict
        delete(session, tell)

    monkeypatch.setattr(removal, "delete_stack", strictly)
    return client


def test_policies_that_people_were_given_are_taken_back_first(given_on: Any, call: Call) -> None:
    shown = call("teardown", "--dry-run")
    rows = [line.split("\t")[2:] for line in shown.lines if line.startswith("detach")]
    assert rows == [["bincount-operator", f"from {who}"] for who in ("user ann", "group operators", "role else")]
    done = call(*TEARDOWN)
    assert done.code == 0, done
    assert "took bincount-operator from user ann" in done.err
    assert given_on.list_attached_user_policies(UserName="ann")["AttachedPolicies"] == []


def manifest(tag: str) -> str:
    """Return a manifest with a layer: without one moto draws the digest from a hundred and one, so that two meet."""
    layers = f'[{{"digest": "sha256:{tag}"}}]'
    kind = "application/vnd.docker.distribution.manifest.v2+json"
    return f'{{"schemaVersion": 2, "mediaType": "{kind}", "layers": {layers}}}'


def put_version(account: boto3.Session, group: str) -> None:
    account.client("sagemaker").create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [{"Image": "image", "ModelDataUrl": "s3://artifacts/model.tar.gz"}],
            "SupportedContentTypes": ["image/jpeg"],
            "SupportedResponseMIMETypes": ["application/json"],
        },
    )


def state(account: boto3.Session) -> dict[str, list[str]]:
    """Return the names of what there is, as far as anybody might delete it."""
    sagemaker: Any = account.client("sagemaker")
    stacks = account.client("cloudformation").list_stacks()["StackSummaries"]
    return {
        "stacks": [one["StackName"] for one in stacks if one["StackStatus"] != "DELETE_COMPLETE"],
        "buckets": [one["Name"] for one in account.client("s3").list_buckets()["Buckets"]],
        "repositories": [
            one["repositoryName"] for one in account.client("ecr").describe_repositories()["repositories"]
        ],
        "groups": inspection.groups(account),
        "versions": [
            one["ModelPackageArn"].partition("/")[2]
            for group in inspection.groups(account)
            for one in sagemaker.list_model_packages(ModelPackageGroupName=group)["ModelPackageSummaryList"]
        ],
        "pipelines": inspection.pipelines(account),
        "logs": [
            one["logGroupName"]
            for one in account.client("logs").describe_log_groups()["logGroups"]
            if one["logGroupName"].startswith("/aws/sagemaker")
        ],
        "roles": [
            one["RoleName"]
            for one in account.client("iam").list_roles()["Roles"]
            if one["RoleName"].startswith("bincount")
        ],
    }


NEIGHBOURS = {
    "stacks": [],
    "buckets": [OTHERS],
    "repositories": ["bincount-else"],
    "groups": ["bincount-else"],
    "versions": ["bincount-else/1"],
    "pipelines": ["bincount-else"],
    "logs": ["/aws/sagemaker/TrainingJobs"],
    "roles": [],
}


def test_all_of_ours_goes_and_nothing_of_others(used: boto3.Session, call: Call) -> None:
    assert state(used) != NEIGHBOURS
    called = call(*TEARDOWN)
    assert called.code == 0, called
    assert state(used) == NEIGHBOURS
    rows = [line.split("\t") for line in called.lines]
    assert ["delete", "bucket", BUCKET, "with all objects and their versions: photos, models, reports"] in rows
    assert ["delete", "repository", "bincount-training", "with all images"] in rows
    assert ["delete", "pipeline", "bincount-dev", "with the history of its executions"] in rows
    assert not any("else" in line for line in called.lines)
    assert f"deleted 5 objects and versions of {BUCKET}" in called.err
    assert "deleted 2 images of bincount-training" in called.err
    assert "deleted 1 version of bincount-dev" in called.err
    assert "removed; what stays" in called.err.splitlines()[-1]


def test_twice_is_safe(used: boto3.Session, call: Call) -> None:
    assert call(*TEARDOWN).code == 0
    called = call("teardown", "--stack", "bincount")
    assert (called.code, called.err.splitlines()[-1]) == (0, "there is nothing to remove")
    assert state(used) == NEIGHBOURS


def test_a_dry_run_and_a_wrong_name_change_nothing(used: boto3.Session, call: Call) -> None:
    before = state(used)
    assert call("teardown", "--dry-run").code == 0
    called = call("teardown", "--stack", "else")
    assert called.code == 1
    assert called.err.splitlines()[-1] == "error: nothing is changed: 'else' is not the stack's name, which is bincount"
    called = call("teardown")
    assert called.code == 1
    assert called.err.splitlines()[-1].startswith("error: nothing is changed: it would ask first")
    assert state(used) == before


def test_an_execution_is_stopped_first(used: boto3.Session, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    sagemaker: Any = used.client("sagemaker")
    arn = sagemaker.start_pipeline_execution(PipelineName="bincount-dev", ClientRequestToken="s" * 32)[
        "PipelineExecutionArn"
    ]
    order: list[str] = []

    def stopped(session: boto3.Session, arn: str) -> None:
        executions.stop(session, arn)
        order.append("stopped")
        moto_pipelines.end(arn, "Stopped")

    monkeypatch.setattr(executor, "stop", stopped)
    called = call(*TEARDOWN)
    assert called.code == 0, called
    assert order == ["stopped"]
    assert f"execution {arn.rpartition('/')[2]} is Stopped" in called.err
    assert state(used) == NEIGHBOURS


@pytest.mark.parametrize(
    "place", ["removing.executor.stop_pipelines", "removing.executor.empty", "installing.removal.delete_stack"]
)
def test_what_was_interrupted_is_taken_up_again(
    used: boto3.Session, call: Call, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(f"pipeline.aws.{place}", interrupt)
        called = call(*TEARDOWN)
    assert called.code == 130
    assert "`bincount teardown` goes on where this ended" in called.err
    assert call(*TEARDOWN).code == 0
    assert state(used) == NEIGHBOURS


def test_objects_that_cannot_be_deleted_keep_the_stack(
    used: boto3.Session, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    used.client("s3").put_object(Bucket=BUCKET, Key="locked", Body=b"")
    real = executor._delete_objects

    class Refusing:
        def __init__(self, client: Any) -> None:
            self._client = client

        def get_paginator(self, name: str) -> Any:
            return self._client.get_paginator(name)

        def delete_objects(self, **_: object) -> dict[str, Any]:
            return {"Errors": [{"Key": "locked", "Message": "Access Denied"}]}

    monkeypatch.setattr(executor, "_delete_objects", lambda client, bucket, tell: real(Refusing(client), bucket, tell))
    called = call(*TEARDOWN)
    assert called.code == 1
    assert called.err.splitlines()[-1] == f"error: 1 objects of {BUCKET} stay, locked: Access Denied"
    assert state(used)["stacks"] == ["bincount"]


def test_without_a_stack_what_was_left_of_it_goes(used: boto3.Session, call: Call) -> None:
    # As if the stack had been deleted in the console, which keeps what is not empty, and pipelines.
    sagemaker: Any = used.client("sagemaker")
    assert call(*TEARDOWN).code == 0
    sagemaker.create_pipeline(
        PipelineName="bincount-prod",
        PipelineDefinition=DEFINITION,
        RoleArn=ROLE,
        Tags=[{"Key": "project", "Value": "bincount"}],
        ClientRequestToken="p" * 32,
    )
    called = call(*TEARDOWN)
    assert called.code == 0, called
    assert state(used) == NEIGHBOURS
