"""What follows the evaluation: the gate's conditions, Register's arguments, Deploy, BelowGate's message."""

from __future__ import annotations

from sagemaker.core.helper.pipeline_variable import RequestType
from sagemaker.core.lambda_helper import Lambda
from sagemaker.core.workflow.conditions import Condition, ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.mlops.workflow.lambda_step import LambdaOutput, LambdaOutputTypeEnum, LambdaStep
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep

from pipeline.definition.common import Context, uri_below
from pipeline.definition.processing import EVALUATION, output_uri
from pipeline.images import image_uri
from pipeline.sdk import RegisterModelStep
from pipeline.settings import PROJECT

MACRO_F1 = "multiclass_classification_metrics.macro_f1.value"
IMPROVEMENT = "champion.improvement.value"


def good_enough(context: Context, evaluate: ProcessingStep) -> list[Condition]:
    """Macro-F1 reaches its minimum, and beats the champion's by the asked margin."""
    minima = {MACRO_F1: context.parameters.min_macro_f1, IMPROVEMENT: context.parameters.min_improvement}
    return [
        ConditionGreaterThanOrEqualTo(
            left=JsonGet(step_name=evaluate.name, property_file=EVALUATION, json_path=path), right=minimum
        )
        for path, minimum in minima.items()
    ]


def register_arguments(context: Context, evaluate: ProcessingStep, train: TrainingStep) -> RequestType:
    """Return a version of the model package group: what serves the model, how good it is, where it came from."""
    settings, parameters = context.settings, context.parameters
    return {
        "ModelPackageGroupName": settings.model_package_group,
        "ModelPackageDescription": "Counts the items (1-5) in a warehouse bin from its photo",
        "ModelApprovalStatus": parameters.approval_status,
        "Domain": "COMPUTER_VISION",
        "Task": "IMAGE_CLASSIFICATION",
        "InferenceSpecification": {
            "Containers": [
                {
                    "Image": image_uri("inference", settings),
                    "ModelDataUrl": train.properties.ModelArtifacts.S3ModelArtifacts,
                }
            ],
            "SupportedContentTypes": ["image/jpeg", "image/png"],
            "SupportedResponseMIMETypes": ["application/json"],
            "SupportedRealtimeInferenceInstanceTypes": list(settings.deploy.instance_types),
        },
        "ModelMetrics": {
            "ModelQuality": {
                "Statistics": {
                    "ContentType": "application/json",
                    "S3Uri": uri_below(output_uri(evaluate, "evaluation"), "evaluation.json"),
                }
            }
        },
        "MetadataProperties": {
            "CommitId": parameters.commit_id,
            "GeneratedBy": ExecutionVariables.PIPELINE_EXECUTION_ARN,
            "ProjectId": PROJECT,
        },
        # The report has no place among ModelMetrics: HTML, and for people.
        "CustomerMetadataProperties": {
            "Report": uri_below(output_uri(evaluate, "report"), "report.html"),
            "Profile": settings.profile,
        },
    }


def deploy_steps(context: Context, register: RegisterModelStep, train: TrainingStep) -> list[LambdaStep]:
    """Return the step that starts the staging deployment, or none where there is no function.

    It is given what a deployment needs, flat: a version that nobody approved yet cannot be deployed by its ARN alone.
    """
    arn = context.settings.deploy.function_arn
    if arn is None:
        return []
    inputs = {
        "Stage": "staging",
        "Profile": context.settings.profile,
        "ModelPackageArn": register.properties.ModelPackageArn,
        "ModelPackageGroupName": context.settings.model_package_group,
        "ImageUri": image_uri("inference", context.settings),
        "ModelDataUrl": train.properties.ModelArtifacts.S3ModelArtifacts,
        "PipelineExecutionArn": ExecutionVariables.PIPELINE_EXECUTION_ARN,
    }
    step = LambdaStep(
        "Deploy",
        Lambda(function_arn=arn, session=context.session),  # it exists: compiling neither makes nor changes it
        inputs=inputs,
        outputs=[LambdaOutput("EndpointName", LambdaOutputTypeEnum.String)],
        description="Start the staging deployment; the function does not wait for it",
    )
    return [step]


def below_gate_message(context: Context) -> Join:
    """Say which minima were not reached; the scores are in the evaluation."""
    parameters = context.parameters
    return Join(
        on="",
        values=[
            "The model is not registered: its macro-F1 is below ",
            parameters.min_macro_f1,
            " or improves on the champion by less than ",
            parameters.min_improvement,
            ". See the report of Evaluate.",
        ],
    )
