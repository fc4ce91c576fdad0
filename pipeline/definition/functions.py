"""Calls of Lambda functions: Champion and Deploy."""

from __future__ import annotations

from typing import Any, Literal

from sagemaker.core.helper.pipeline_variable import PipelineVariable
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum
from sagemaker.mlops.workflow.steps import TrainingStep

from pipeline.definition.common import Context
from pipeline.sdk import RegisterModelStep


def champion_call(context: Context, train: TrainingStep) -> dict[str, Any]:
    """Ask for the latest approved version: its artifact and `<group>/<n>`; the new artifact and `none` without one."""
    inputs = {
        "ModelPackageGroupName": context.settings.model_package_group,
        "ModelDataUrl": train.properties.ModelArtifacts.S3ModelArtifacts,
    }
    return _call(context, "champion", inputs, "ModelDataUrl", "Version")


def deploy_call(context: Context, register: RegisterModelStep) -> dict[str, Any]:
    """Start the deployment to staging. How to deploy is in the version's metadata, for production to read as well."""
    inputs = {
        "Stage": "staging",
        "ModelPackageArn": register.properties.ModelPackageArn,
        "PipelineExecutionArn": ExecutionVariables.PIPELINE_EXECUTION_ARN,
    }
    return _call(context, "deploy", inputs, "EndpointName")


def _call(
    context: Context, function: Literal["champion", "deploy"], inputs: dict[str, str | PipelineVariable], *outputs: str
) -> dict[str, Any]:
    return {
        # By its ARN alone: compiling neither makes nor changes the function.
        "lambda_func": Lambda(function_arn=context.settings.function(function), session=context.session),
        "inputs": inputs,
        "outputs": [LambdaOutput(name, LambdaOutputTypeEnum.String) for name in outputs],
    }
