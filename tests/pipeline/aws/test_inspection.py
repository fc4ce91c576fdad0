from __future__ import annotations

from typing import Any

import boto3
import pytest

from pipeline.aws import inspection
from pipeline.aws.models import Job
from pipeline.errors import UserError
from pipeline.local.store import Store


def test_what_there_is(session: boto3.Session, made: str) -> None:
    client: Any = session.client("sagemaker")
    client.create_model_package_group(ModelPackageGroupName="counts")
    client.create_model_package_group(ModelPackageGroupName="other")
    assert inspection.pipelines(session, "cou") == ["counts"]
    assert inspection.pipelines(session, "x") == []
    assert inspection.groups(session) == ["counts", "other"]
    assert inspection.groups(session, "o") == ["other"]


def test_what_an_execution_began_with(session: boto3.Session, running: str) -> None:
    assert [step["Name"] for step in inspection.definition(session, running)["Steps"]] == ["First", "Gate"]
    assert inspection.parameters(session, running) == {"Epochs": "2"}


def test_where_a_processing_job_put_its_outputs(session: boto3.Session, store: Store) -> None:
    output = {"S3Uri": "s3://bincount-local/r", "LocalPath": "/opt/ml/processing/output/r", "S3UploadMode": "EndOfJob"}
    body = {
        "ProcessingJobName": "evaluate",
        "ProcessingJobArn": "arn:aws:sagemaker:us-east-1:000000000000:processing-job/evaluate",
        "ProcessingJobStatus": "Completed",
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        },
        "AppSpecification": {"ImageUri": "image"},
        "CreationTime": 1.0,
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "report", "S3Output": output}]},
    }
    store.create("processing-job", "evaluate", body)
    assert inspection.outputs(session, Job("processing", "evaluate")) == {"report": "s3://bincount-local/r"}
    with pytest.raises(UserError, match="Could not find requested job"):
        inspection.outputs(session, Job("processing", "other"))
