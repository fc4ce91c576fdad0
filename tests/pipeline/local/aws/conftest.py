"""A local account with nothing in it, and one with a pipeline."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from pipeline.local import aws
from pipeline.local.home import Home
from pipeline.local.store import Store

ROLE = "arn:aws:iam::000000000000:role/bincount-pipeline"

Definition = Callable[..., str]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def store(home: Home) -> Store:
    return Store(home.database)


@pytest.fixture
def launched() -> list[str]:
    """Return the ARNs of the executions whose engine was started."""
    return []


@pytest.fixture
def session(home: Home, launched: list[str]) -> boto3.Session:
    def launch(_home: Home, arn: str) -> int:
        launched.append(arn)
        return os.getpid()

    return aws.session(home, launch)


@pytest.fixture
def sagemaker(session: boto3.Session) -> Any:
    return session.client("sagemaker")


@pytest.fixture
def s3(session: boto3.Session) -> Any:
    return session.client("s3")


@pytest.fixture
def definition() -> Definition:
    """Return a function that writes a definition with the given parameters and one Fail step."""

    def write(*parameters: dict[str, Any], message: str = "no") -> str:
        steps = [{"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": message}}]
        return json.dumps({"Version": "2020-12-01", "Metadata": {}, "Parameters": parameters, "Steps": steps})

    return write


@pytest.fixture
def made(sagemaker: Any, definition: Definition) -> str:
    """Return the name of a pipeline with a parameter of each type."""
    text = definition(
        {"Name": "Epochs", "Type": "Integer", "DefaultValue": 3},
        {"Name": "MinMacroF1", "Type": "Float", "DefaultValue": 0.5},
        {"Name": "Spot", "Type": "Boolean", "DefaultValue": True},
        {"Name": "Approval", "Type": "String", "DefaultValue": "Approved", "EnumValues": ["Approved", "Rejected"]},
    )
    sagemaker.create_pipeline(PipelineName="counts", PipelineDefinition=text, RoleArn=ROLE, ClientRequestToken="t" * 32)
    return "counts"
