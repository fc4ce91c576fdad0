"""A local account with a pipeline of three steps, and an execution of it whose engine is this test."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import boto3
import pytest

from pipeline.aws import executions, pipelines
from pipeline.local import aws
from pipeline.local.home import Home
from pipeline.local.store import Store

ROLE = "arn:aws:iam::000000000000:role/bincount-pipeline"
ACCOUNT = "arn:aws:sagemaker:us-east-1:000000000000"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def store(home: Home) -> Store:
    return Store(home.database)


@pytest.fixture
def session(home: Home) -> boto3.Session:
    return aws.session(home, lambda _home, _arn: os.getpid())


@pytest.fixture
def s3(session: boto3.Session) -> Any:
    return session.client("s3")


def fail_step(name: str) -> dict[str, Any]:
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}


@pytest.fixture
def definition() -> str:
    """Return a definition: First, then Gate with Good and Bad in its branches."""
    condition = {"Type": "Equals", "LeftValue": {"Get": "Parameters.Epochs"}, "RightValue": 1}
    branches = {"Conditions": [condition], "IfSteps": [fail_step("Good")], "ElseSteps": [fail_step("Bad")]}
    return json.dumps(
        {
            "Version": "2020-12-01",
            "Metadata": {},
            "Parameters": [{"Name": "Epochs", "Type": "Integer", "DefaultValue": 1}],
            "Steps": [fail_step("First"), {"Name": "Gate", "Type": "Condition", "Arguments": branches}],
        }
    )


@pytest.fixture
def made(session: boto3.Session, definition: str) -> str:
    pipelines.upsert(session, "counts", definition, ROLE, {"project": "bincount"}, "bincount-local")
    return "counts"


@pytest.fixture
def running(session: boto3.Session, made: str) -> str:
    """Return the ARN of an execution."""
    return executions.start(session, made, {"Epochs": "2"}, display_name="first")


@pytest.fixture
def training_job(store: Store) -> Any:
    """Return a function that records a training job with its metrics."""

    def record(name: str, status: str = "InProgress", parent: str = "", **members: Any) -> str:
        body = {
            "TrainingJobName": name,
            "TrainingJobArn": f"{ACCOUNT}:training-job/{name}",
            "TrainingJobStatus": status,
            "SecondaryStatus": "Training",
            "ModelArtifacts": {"S3ModelArtifacts": "s3://bincount-local/model.tar.gz"},
            "CreationTime": 1000.0,
            **members,
        }
        store.create("training-job", name, body, parent)
        return f"{ACCOUNT}:training-job/{name}"

    return record
