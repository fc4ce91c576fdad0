"""What there is of an installation, and the settings that come of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import Mock

import boto3
import pytest
from botocore.stub import Stubber

from pipeline.aws.stack import Installation, installation, overrides
from pipeline.errors import UserError
from pipeline.settings import load_settings
from pipeline.template import template_body
from tests.infra.templates import load

ACCOUNT = "123456789012"
ARN = f"arn:aws:cloudformation:eu-central-1:{ACCOUNT}:stack/bincount/1"
OUTPUTS = {
    "Bucket": f"bincount-{ACCOUNT}-eu-central-1",
    "PipelineRoleArn": f"arn:aws:iam::{ACCOUNT}:role/bincount-pipeline",
    "ProcessingRoleArn": f"arn:aws:iam::{ACCOUNT}:role/bincount-processing",
    "TrainingRoleArn": f"arn:aws:iam::{ACCOUNT}:role/bincount-training",
    "DeployFunctionArn": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:bincount-deploy",
    "ChampionFunctionArn": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:bincount-champion",
    "KmsKeyArn": f"arn:aws:kms:eu-central-1:{ACCOUNT}:key/1",
    "Subnets": "subnet-1,subnet-2",
    "SecurityGroups": "sg-1",
}


@pytest.fixture
def service() -> Iterator[Stubber]:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-central-1")
    with Stubber(session.client("cloudformation")) as stubber:
        yield stubber


def session_of(service: Stubber) -> Any:
    session = Mock(spec=boto3.Session)
    session.client.return_value = service.client
    return session


def answer(service: Stubber, status: str, **outputs: str) -> None:
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    about = {"StackId": ARN, "StackName": "bincount", "StackStatus": status, "Outputs": listed}
    service.add_response("describe_stacks", {"Stacks": [{**about, "CreationTime": 0}]}, {"StackName": "bincount"})


def test_an_account_without_a_stack(moto_session: boto3.Session) -> None:
    with pytest.raises(
        UserError, match="there is no stack bincount in us-east-1: run `bincount bootstrap`, or set the region"
    ):
        installation(moto_session)


def test_a_stack_of_another_region_is_not_this_ones(moto_session: boto3.Session) -> None:
    body = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}, "Outputs": {"Bucket": {"Value": "b"}}})
    client: Any = moto_session.client("cloudformation", region_name="eu-central-1")
    client.create_stack(StackName="bincount", TemplateBody=body)
    there = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="eu-central-1")
    assert installation(there) == Installation(ACCOUNT, "eu-central-1", {"Bucket": "b"})
    with pytest.raises(UserError, match="no stack bincount in us-east-1"):
        installation(moto_session)


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_that_is_there(service: Stubber, status: str) -> None:
    answer(service, status, **OUTPUTS)
    assert installation(session_of(service)) == Installation(ACCOUNT, "eu-central-1", OUTPUTS)


@pytest.mark.parametrize("status", ["REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"])
def test_a_stack_that_was_never_finished(service: Stubber, status: str) -> None:
    answer(service, status)
    with pytest.raises(UserError, match=f"the stack bincount in eu-central-1 is {status}: `bincount bootstrap`"):
        installation(session_of(service))


def test_who_may_not_look_is_told_what_is_missing(service: Stubber) -> None:
    service.add_client_error("describe_stacks", "AccessDenied", "no cloudformation:DescribeStacks")
    with pytest.raises(UserError, match="AWS denies DescribeStacks"):
        installation(session_of(service))


def test_the_settings_take_what_an_installation_gives() -> None:
    settings = load_settings("prod", overrides(Installation(ACCOUNT, "eu-central-1", OUTPUTS)))
    assert (settings.aws.account, settings.aws.region, settings.aws.bucket) == (
        ACCOUNT,
        "eu-central-1",
        OUTPUTS["Bucket"],
    )
    assert settings.role("pipeline") == OUTPUTS["PipelineRoleArn"]
    assert settings.function("champion") == OUTPUTS["ChampionFunctionArn"]
    assert (settings.aws.volume_kms_key, settings.aws.output_kms_key) == (OUTPUTS["KmsKeyArn"],) * 2
    assert settings.aws.subnets == ("subnet-1", "subnet-2")


def test_an_empty_output_sets_nothing() -> None:
    empty = {**OUTPUTS, "KmsKeyArn": "", "Subnets": "", "SecurityGroups": ""}
    given = overrides(Installation(ACCOUNT, "eu-central-1", empty))
    assert {"aws.subnets", "aws.security_groups", "aws.volume_kms_key", "aws.output_kms_key"} & set(given) == set()
    assert load_settings("prod", given).aws.subnets == ()


def test_the_template_gives_every_output_that_settings_take() -> None:
    assert set(OUTPUTS) <= set(load(template_body())["Outputs"])
