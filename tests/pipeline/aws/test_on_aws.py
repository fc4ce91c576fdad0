"""The same code with a session whose calls go out as HTTP requests, here answered by moto."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from pipeline.aws import executions, inspection, logs, objects, pipelines, registry
from pipeline.aws.logs import Line
from pipeline.aws.models import Job, Score
from pipeline.errors import UserError

ROLE = "arn:aws:iam::000000000000:role/bincount-pipeline"
BUCKET = "bincount-test"


@pytest.fixture(scope="module")
def kept() -> boto3.Session:
    """Return the session of all tests: its clients take longer to make than to call."""
    return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")


@pytest.fixture
def aws(kept: boto3.Session) -> Iterator[boto3.Session]:
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        client: Any = kept.client("s3")
        client.create_bucket(Bucket=BUCKET)
        yield kept


def test_pipelines_and_executions(moto_session: boto3.Session, definition: str) -> None:
    aws = moto_session
    done = pipelines.upsert(aws, "counts", definition, ROLE, {"project": "bincount"}, BUCKET)
    started = executions.start(aws, "counts", {"Epochs": "2"}, display_name="first", version=done.version)
    assert executions.resolve(aws, "counts") == executions.resolve(aws, "counts", "first") == started
    assert [one.status for one in executions.executions(aws, "counts")] == ["Executing"]
    assert inspection.parameters(aws, started) == {"Epochs": "2"}
    assert inspection.pipelines(aws) == ["counts"]
    with pytest.raises(UserError, match="other"):
        executions.start(aws, "other", {})


def test_versions(aws: boto3.Session) -> None:
    assert registry.versions(aws, "counts") == []
    client: Any = aws.client("sagemaker")
    s3: Any = aws.client("s3")
    client.create_model_package_group(ModelPackageGroupName="counts")
    evaluation = {"multiclass_classification_metrics": {"macro_f1": {"value": 0.5}}}
    s3.put_object(Bucket=BUCKET, Key="evaluation.json", Body=json.dumps(evaluation).encode())
    statistics = {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/evaluation.json"}
    for approval in ("Approved", "Approved", "PendingManualApproval"):
        client.create_model_package(
            ModelPackageGroupName="counts",
            ModelApprovalStatus=approval,
            ModelMetrics={"ModelQuality": {"Statistics": statistics}},
            InferenceSpecification={"Containers": [{"Image": "image"}], "SupportedContentTypes": ["image/jpeg"]},
        )
    found = registry.versions(aws, "counts")
    assert [(one.number, one.champion) for one in found] == [(3, False), (2, True), (1, False)]
    assert found[0].score == Score(0.5)


def test_files(aws: boto3.Session, tmp_path: Path) -> None:
    (tmp_path / "a b").mkdir()
    (tmp_path / "a b" / "ü.txt").write_text("text")
    uri = f"s3://{BUCKET}/data"
    assert objects.upload_folder(aws, tmp_path, uri).sent == 1
    assert objects.upload_folder(aws, tmp_path, uri).skipped == 1
    assert objects.read_text(aws, f"{uri}/a b/ü.txt") == "text"
    with pytest.raises(UserError, match=f"there is no object {uri}/none"):
        objects.download(aws, f"{uri}/none", tmp_path / "none")


def test_log_lines(aws: boto3.Session) -> None:
    job = Job("training", "train")
    assert logs.read(aws, job).lines == ()
    client: Any = aws.client("logs")
    group, stream = "/aws/sagemaker/TrainingJobs", "train/algo-1-1700000000"
    client.create_log_group(logGroupName=group)
    for name in (stream, "trainer/algo-1-1700000000"):
        client.create_log_stream(logGroupName=group, logStreamName=name)

    def put(text: str) -> None:
        event = {"timestamp": int(time.time() * 1000), "message": text}  # an older one would be refused
        client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])

    put("one")
    page = logs.read(aws, job)
    put("two")
    assert page.lines == (Line("algo-1", "one"),)
    assert logs.read(aws, job, page.tokens).lines == (Line("algo-1", "two"),)
