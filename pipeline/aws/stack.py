"""The stack: the one installation of bincount that an account has in a region, and what of it settings need."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws.errors import aws_errors, code_of, message_of
from pipeline.errors import UserError
from pipeline.settings import PROJECT

if TYPE_CHECKING:
    import boto3

STACK = PROJECT
# A stack in these states was never made, or is no longer: it has none of its outputs.
_NEVER_MADE = {"REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "CREATE_FAILED", "ROLLBACK_IN_PROGRESS"}
_NEVER_MADE |= {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_IN_PROGRESS", "DELETE_FAILED"}

# Settings by the output that gives them. Empty outputs (no key, no VPC) set nothing.
_SETTINGS = {
    "Bucket": ("aws.bucket",),
    "PipelineRoleArn": ("aws.pipeline_role",),
    "ProcessingRoleArn": ("aws.processing_role",),
    "TrainingRoleArn": ("aws.training_role",),
    "DeployFunctionArn": ("deploy.function_arn",),
    "ChampionFunctionArn": ("deploy.champion_function_arn",),
    "KmsKeyArn": ("aws.volume_kms_key", "aws.output_kms_key"),
    "Subnets": ("aws.subnets",),
    "SecurityGroups": ("aws.security_groups",),
}


@dataclass(frozen=True)
class Installation:
    """An account's stack in a region, with the outputs of infra/template.yaml by their keys."""

    account: str
    region: str
    outputs: Mapping[str, str]


@aws_errors()
def installation(session: boto3.Session) -> Installation:
    """Return the account's installation in the session's region.

    Raises:
        UserError: there is none, or it was never finished.
    """
    client = session.client("cloudformation")
    region = client.meta.region_name
    about = describe(client)
    if about is None:
        raise UserError(
            f"there is no stack {STACK} in {region}: run `bincount bootstrap`, or set the region of the installation"
        )
    if about["StackStatus"] in _NEVER_MADE:
        raise UserError(f"the stack {STACK} in {region} is {about['StackStatus']}: `bincount bootstrap` finishes it")
    outputs = {one["OutputKey"]: one.get("OutputValue", "") for one in about.get("Outputs", ())}
    return Installation(about["StackId"].split(":")[4], region, outputs)


def describe(client: Any, name: str = STACK) -> Mapping[str, Any] | None:  # noqa: ANN401
    """Return what CloudFormation says of a stack, by its name or its id, or None where there is none of the name.

    Raises:
        ClientError: it says nothing.
    """
    try:
        about: Mapping[str, Any] = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if code_of(error) == "ValidationError" and "does not exist" in message_of(error):
            return None
        raise
    return about


def overrides(installation: Installation) -> dict[str, str]:
    """Return the settings that an installation gives, by dotted name: for `load_settings`, below what the user sets."""
    found = {"aws.account": installation.account, "aws.region": installation.region}
    for output, settings in _SETTINGS.items():
        if value := installation.outputs.get(output):
            found |= dict.fromkeys(settings, value)
    return found
