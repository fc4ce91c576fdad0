"""The template as it is sent, through moto's CloudFormation: what moto knows of it is made, and goes with the stack."""

from __future__ import annotations

import re

import boto3
import pytest

from pipeline.template import template_body
from tests.infra.templates import Stack, load

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse")

# Of these moto's CloudFormation makes nothing: cfn-lint is all that has seen them here.
SKIPPED = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::Budgets::Budget",
    "AWS::CloudWatch::Alarm",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::S3::BucketPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SageMaker::ModelPackageGroup",
}
PARAMETERS = {"CiSubject": "repo:octo/bincount:ref:refs/heads/main"}


@pytest.fixture
def stack(moto_session: boto3.Session) -> boto3.Session:
    moto_session.client("cloudformation").create_stack(
        StackName="bincount",
        TemplateBody=template_body(),
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in PARAMETERS.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    return moto_session


def made(session: boto3.Session) -> dict[str, set[str]]:
    """Return the names of what there is, by type."""
    repositories = session.client("ecr").describe_repositories()["repositories"]
    return {
        "AWS::IAM::Role": {one["RoleName"] for one in session.client("iam").list_roles()["Roles"]},
        "AWS::S3::Bucket": {one["Name"] for one in session.client("s3").list_buckets()["Buckets"]},
        "AWS::Lambda::Function": {
            one["FunctionName"] for one in session.client("lambda").list_functions()["Functions"]
        },
        "AWS::Events::Rule": {one["Name"] for one in session.client("events").list_rules()["Rules"]},
        "AWS::ECR::Repository": {one["repositoryName"] for one in repositories},
    }


def test_the_stack_makes_what_it_names(stack: boto3.Session) -> None:
    wanted = Stack(load(template_body()), **PARAMETERS)
    keys = {"AWS::IAM::Role": "RoleName", "AWS::S3::Bucket": "BucketName", "AWS::Lambda::Function": "FunctionName"}
    keys |= {"AWS::Events::Rule": "Name", "AWS::ECR::Repository": "RepositoryName"}
    assert made(stack) == {kind: {one[key] for one in wanted.of_type(kind).values()} for kind, key in keys.items()}


def test_the_outputs_name_what_is_there(stack: boto3.Session) -> None:
    (about,) = stack.client("cloudformation").describe_stacks(StackName="bincount")["Stacks"]
    outputs = {one["OutputKey"]: one.get("OutputValue", "") for one in about["Outputs"]}
    assert about["StackStatus"] == "CREATE_COMPLETE"
    assert outputs["Bucket"] == "bincount-123456789012-us-east-1"
    assert outputs["PipelineRoleArn"] == "arn:aws:iam::123456789012:role/bincount-pipeline"
    assert outputs["CiRoleArn"].endswith(":role/bincount-ci")
    assert (outputs["KmsKeyArn"], outputs["Subnets"], outputs["SecurityGroups"]) == ("", "", "")


def test_functions_hold_a_placeholder_until_code_comes(stack: boto3.Session) -> None:
    about = stack.client("lambda").get_function_configuration(FunctionName="bincount-deploy")
    assert about["Handler"] == "deploy.handler.handler"
    assert about["Environment"]["Variables"] == {
        "PROJECT": "bincount",
        "MODEL_ROLE_ARN": "arn:aws:iam::123456789012:role/bincount-model",
        "CAPTURE_URI": "s3://bincount-123456789012-us-east-1/bincount/capture",
    }


def test_the_approval_rule_calls_the_deploy_function(stack: boto3.Session) -> None:
    targets = stack.client("events").list_targets_by_rule(Rule="bincount-approval")["Targets"]
    assert [one["Arn"].rpartition(":")[2] for one in targets] == ["bincount-deploy"]


def test_nothing_stays_behind(stack: boto3.Session) -> None:
    stack.client("cloudformation").delete_stack(StackName="bincount")
    assert made(stack) == {kind: set() for kind in made(stack)}


def test_what_moto_skips_is_known(caplog: pytest.LogCaptureFixture, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue("stack")
    text = "\n".join(one.getMessage() for one in caplog.get_records("setup") + caplog.records)
    assert set(re.findall(r"No Moto CloudFormation support for ([\w:]+)", text)) == SKIPPED
