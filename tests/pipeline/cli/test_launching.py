"""`run --target aws` as a user types it: moto answers, and ends what was started."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from pipeline.aws import executions, inspection
from pipeline.aws.launching import executor, inventory
from pipeline.aws.pipelines import upsert as put
from pipeline.cli import following, sources
from pipeline.cli.options import Target
from pipeline.functions import names, package
from tests import moto_pipelines

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called

BUCKET = "bincount-123456789012-us-east-1"
NAME = "counts"
ROLE = "arn:aws:iam::123456789012:role/bincount-pipeline"


def install(session: boto3.Session) -> None:
    """Put up what of the stack a run looks at."""
    resources = {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": BUCKET}}}
    outputs = {"Bucket": {"Value": BUCKET}, "PipelineRoleArn": {"Value": ROLE}}
    client: Any = session.client("cloudformation")
    client.create_stack(StackName="bincount", TemplateBody=json.dumps({"Resources": resources, "Outputs": outputs}))


def equip(session: boto3.Session) -> None:
    """Put up the repositories and functions, without anything in them."""
    ecr: Any = session.client("ecr")
    for kind in ("processing", "training", "inference"):
        ecr.create_repository(repositoryName=f"bincount-{kind}")
    trust = '{"Version": "2012-10-17", "Statement": []}'
    iam: Any = session.client("iam")
    role = iam.create_role(RoleName="bincount-deploy", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    client: Any = session.client("lambda")
    for name in names():
        code = {"ZipFile": package(name)} if name != "deploy" else {"ZipFile": package("champion")}
        client.create_function(
            FunctionName=f"bincount-{name}", Runtime="python3.13", Role=role, Handler="x.y", Code=code
        )


@pytest.fixture
def account(home: Path, moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    """Return an account with our bucket; what is watched in it ends at the first look."""
    for name in ("GITHUB_RUN_ID", "CODEBUILD_BUILD_ID"):
        monkeypatch.delenv(name, raising=False)
    install(moto_session)
    monkeypatch.setattr(inspection, "connect", lambda: moto_session)
    monkeypatch.setitem(following.SECONDS, Target.AWS, 0.0)
    return moto_session


@pytest.fixture
def file(home: Path) -> Path:
    """Return a definition of one step, with a place for photos."""
    parameters = [
        {"Name": "DataUri", "Type": "String", "DefaultValue": f"s3://{BUCKET}/none"},
        {"Name": "Type", "Type": "String", "DefaultValue": "ml.m5.xlarge"},
    ]
    fail = {"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Parameters.DataUri"}}}
    whole = {"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters, "Steps": [fail]}
    path = Path(f"{NAME}.json")
    path.write_text(json.dumps(whole))
    return path


@pytest.fixture
def photos(home: Path, call: Callable[..., Called]) -> Path:
    assert call("data", "synth", "photos", "--photos", 3, "--size", 64).code == 0
    return Path("photos")


def started(session: boto3.Session) -> list[dict[str, Any]]:
    client: Any = session.client("sagemaker")
    listed: list[dict[str, Any]] = client.list_pipeline_executions(PipelineName=NAME)["PipelineExecutionSummaries"]
    return listed


def ends(monkeypatch: pytest.MonkeyPatch, status: str, *steps: dict[str, Any]) -> None:
    """Let an execution end as soon as it is started."""

    def start(*given: Any, **named: Any) -> str:
        arn = executions.start(*given, **named)
        for step in steps:
            moto_pipelines.put_step(arn, **step)
        moto_pipelines.end(arn, status, None if status == "Succeeded" else "a step failed")
        return arn

    monkeypatch.setattr(executor, "start", start)


def run(call: Callable[..., Called], *arguments: object) -> Called:
    return call("run", "--definition", f"{NAME}.json", "--target", "aws", *arguments)


def test_a_dry_run_shows_the_plan_and_changes_nothing(
    account: boto3.Session, file: Path, photos: Path, call: Callable[..., Called]
) -> None:
    called = run(call, "-p", f"DataUri={photos}", "--dry-run")
    assert called.code == 0, called
    upload, pipeline, start = (line.split("\t") for line in called.lines)
    assert upload[:2] == ["upload", "photos"]
    assert upload[2].startswith(f"s3://{BUCKET}/data/")
    assert upload[3] == "6 of 6 files are not there"
    assert pipeline == ["create", "pipeline", NAME, ""]
    assert start == ["start", "execution", NAME, f"DataUri={upload[2]}"]
    client: Any = account.client("s3")
    assert client.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0
    assert inspection.pipelines(account) == []


def test_a_run_uploads_upserts_starts_and_watches(
    account: boto3.Session, file: Path, photos: Path, call: Callable[..., Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends(monkeypatch, "Succeeded")
    called = run(call, "-p", f"DataUri={photos}", "--name", "mine")
    assert called.code == 0, called
    assert "uploading 6 files to" in called.err
    assert [one["PipelineExecutionDisplayName"] for one in started(account)] == ["mine"]
    assert "has started from version 1 of the pipeline: https://us-east-1.console.aws.amazon.com/" in called.err
    again = run(call, "-p", f"DataUri={photos}")
    assert again.code == 0, again
    assert "uploading" not in again.err
    assert [line.split("\t")[0] for line in again.lines[:3]] == ["keep", "keep", "start"]
    assert len(started(account)) == 2


def test_an_execution_that_fails_gives_exit_code_1_with_its_reason(
    account: boto3.Session, file: Path, call: Callable[..., Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    client: Any = account.client("s3")
    client.put_object(Bucket=BUCKET, Key="none/1.jpg", Body=b"x")
    ends(monkeypatch, "Failed", {"name": "End", "status": "Failed", "FailureReason": "AlgorithmError: out of cheese"})
    called = run(call)
    assert called.code == 1, called
    assert "End: AlgorithmError: out of cheese" in called.out


def test_photos_that_are_not_there_are_told_before_anything_is_changed(
    account: boto3.Session, file: Path, call: Callable[..., Called]
) -> None:
    client: Any = account.client("s3")
    client.put_object(Bucket=BUCKET, Key="nonesuch/1.jpg", Body=b"x")  # the same letters, another folder
    assert f"there are no photos at s3://{BUCKET}/none: give a folder" in run(call).err
    assert "nowhere is no folder" in run(call, "-p", "DataUri=nowhere").err
    assert inspection.pipelines(account) == []


def test_upsert_and_start_each_do_their_half(account: boto3.Session, file: Path, call: Callable[..., Called]) -> None:
    client: Any = account.client("s3")
    client.put_object(Bucket=BUCKET, Key="none/1.jpg", Body=b"x")
    missing = call("start", "--pipeline", NAME, "--target", "aws")
    assert (missing.code, missing.out) == (1, "")
    assert f"there is no pipeline {NAME}: `bincount upsert` makes it" in missing.err
    made = call("upsert", "--definition", file, "--target", "aws")
    assert made.out == f"pipeline {NAME} created, version 1\n"
    assert call("upsert", "--definition", file, "--target", "aws").out == f"pipeline {NAME} unchanged, version 1\n"
    assert "there is no parameter Typ (did you mean Type?)" in (
        call("start", "--pipeline", NAME, "-p", "Typ=x", "--target", "aws").err
    )
    begun = call("start", "--pipeline", NAME, "-p", "Type=ml.c5.xlarge", "--name", "mine", "--target", "aws")
    assert begun.code == 0, begun
    assert [one["PipelineExecutionArn"][-12:] for one in started(account)] == [begun.out.strip()]


def test_somebody_faster_is_told_and_the_execution_runs_its_own_definition(
    account: boto3.Session, file: Path, call: Callable[..., Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    client: Any = account.client("s3")
    client.put_object(Bucket=BUCKET, Key="none/1.jpg", Body=b"x")
    ends(monkeypatch, "Succeeded")
    theirs = file.read_text().replace("End", "Theirs")

    def raced(*given: Any, **named: Any) -> Any:
        done = put(*given, **named)
        put(account, NAME, theirs, given[3], {}, BUCKET)
        return replace(done, overtaken_by=2)

    monkeypatch.setattr(executor, "upsert", raced)
    called = run(call)
    assert called.code == 0, called
    assert f"somebody else has sent version 2 of {NAME} meanwhile" in called.err
    (arn,) = (one["PipelineExecutionArn"] for one in started(account))
    assert [step["Name"] for step in inspection.definition(account, arn)["Steps"]] == ["End"]


def test_a_profile_brings_images_and_functions_first(
    account: boto3.Session, call: Callable[..., Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    equip(account)
    quota = {"ml.m5.xlarge for processing job usage": 0.0}
    monkeypatch.setattr(inventory, "quotas", lambda *_: quota)  # which moto has none of for SageMaker
    client: Any = account.client("s3")
    client.put_object(Bucket=BUCKET, Key="data/1.jpg", Body=b"x")
    called = call("run", "--profile", "dev", "--target", "aws", "--dry-run")
    assert called.code == 0, called
    rows = [line.split("\t") for line in called.lines]
    assert [row[2].partition(":")[0] for row in rows[:4]] == [
        "bincount-processing",
        "bincount-training",
        "bincount-processing",
        "bincount-inference",
    ]
    assert [row[:3] for row in rows[4:6]] == [
        ["update", "function", "deploy"],
        ["create", "pipeline", "bincount-dev"],
    ]
    assert rows[-1][:2] == ["start", "execution"]
    assert "warning: the quota 'ml.m5.xlarge for processing job usage' is 0 and 1 are needed" in called.err
    assert "cost: at most $" in called.err


def test_ctrl_c_before_the_start_leaves_what_was_done(
    account: boto3.Session, file: Path, photos: Path, call: Callable[..., Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(executor, "upsert", interrupted)
    called = run(call, "-p", f"DataUri={photos}")
    assert called.code == 130
    assert "the same command goes on from there" in called.err
    client: Any = account.client("s3")
    assert client.list_objects_v2(Bucket=BUCKET, Prefix="data/")["KeyCount"] == 6


def test_without_keys_or_region_there_is_one_line(
    home: Path, file: Path, call: Callable[..., Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert run(call).err.startswith("error: no AWS region is set")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    assert run(call).err.startswith("error: there are no AWS credentials: run `aws configure`")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert run(call).err.startswith("error: the AWS profile that AWS_PROFILE names does not exist")


def test_without_a_stack_there_is_one_line(
    home: Path, file: Path, moto_session: boto3.Session, call: Callable[..., Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "connect", lambda: moto_session)
    called = run(call)
    assert (called.code, called.out) == (1, "")
    assert called.err.startswith("error: there is no stack bincount in us-east-1: run `bincount bootstrap`")


def test_a_dry_run_on_this_machine_imports_nothing(
    home: Path, file: Path, photos: Path, call: Callable[..., Called]
) -> None:
    called = call("run", "--definition", file, "-p", f"DataUri={photos}", "--dry-run")
    assert called.code == 0, called
    assert called.lines == [f"create\tpipeline\t{NAME}\t", f"start\texecution\t{NAME}\tDataUri=photos"]
    assert not (home / "s3").exists() or not any((home / "s3").rglob("*.jpg"))


def test_what_may_cost_more_than_the_limit_is_asked_about_before_anything_is_changed(
    account: boto3.Session, file: Path, photos: Path, call: Callable[..., Called], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "_compile", lambda _settings: file.read_text())
    monkeypatch.setattr(inventory, "quotas", lambda *_: {})  # which moto has none of for SageMaker
    equip(account)
    command = ("run", "--profile", "demo", "-p", f"DataUri={photos}", "--target", "aws")
    cheap = call(*command, "--dry-run")
    assert cheap.code == 0, cheap
    assert "cost: at most $0.82; then $170.05 a month while its endpoints serve" in cheap.err
    assert "cost.ask_above_usd" not in cheap.err
    dear = call(*command, "--set", "cost.ask_above_usd=0.5")
    assert dear.code == 1, dear
    assert "warning: that may be more than $0.50 (cost.ask_above_usd)" in dear.err
    assert "it would ask first, and there is no terminal; --yes goes on" in dear.err
    client: Any = account.client("s3")
    assert (client.list_objects_v2(Bucket=BUCKET)["KeyCount"], inspection.pipelines(account)) == (0, [])
