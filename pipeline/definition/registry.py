"""What follows the evaluation: the gate's conditions, Register's arguments, BelowGate's message."""

from __future__ import annotations

from sagemaker.core.helper.pipeline_variable import PipelineVariable, RequestType
from sagemaker.core.workflow.conditions import Condition, ConditionGreaterThanOrEqualTo
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join, JsonGet
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep

from pipeline.definition.card import model_card
from pipeline.definition.common import Context, uri_below
from pipeline.definition.processing import EVALUATION, output_uri
from pipeline.images import image_uri
from pipeline.settings import PROJECT

MACRO_F1 = "multiclass_classification_metrics.macro_f1.value"
IMPROVEMENT = "champion.improvement.value"
DATA_HASH = "model.provenance.data"


def good_enough(context: Context, evaluate: ProcessingStep) -> list[Condition]:
    """Macro-F1 reaches its minimum, and beats the champion's by the asked margin."""
    minima = {MACRO_F1: context.parameters.min_macro_f1, IMPROVEMENT: context.parameters.min_improvement}
    return [
        ConditionGreaterThanOrEqualTo(left=_evaluated(evaluate, path), right=minimum)
        for path, minimum in minima.items()
    ]


def _evaluated(evaluate: ProcessingStep, path: str) -> JsonGet:
    return JsonGet(step_name=evaluate.name, property_file=EVALUATION, json_path=path)


def register_arguments(
    context: Context, split: ProcessingStep, train: TrainingStep, evaluate: ProcessingStep
) -> RequestType:
    """Return a version of the model package group: what serves it, how good it is, where it is from, what it is for."""
    settings, parameters, deploy = context.settings, context.parameters, context.settings.deploy
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
            "SupportedRealtimeInferenceInstanceTypes": sorted({deploy.staging_instance_type, deploy.instance_type}),
        },
        "ModelMetrics": {
            "ModelQuality": {
                "Statistics": {
                    "ContentType": "application/json",
                    "S3Uri": uri_below(output_uri(evaluate, "evaluation"), "evaluation.json"),
                }
            }
        },
        # Model Registry's own place for what drift in production is measured against.
        "DriftCheckBaselines": {
            "ModelQuality": {
                "Statistics": {
                    "ContentType": "application/json",
                    "S3Uri": uri_below(output_uri(evaluate, "evaluation"), "baseline.json"),
                }
            }
        },
        "MetadataProperties": {
            "CommitId": parameters.commit_id,
            "GeneratedBy": ExecutionVariables.PIPELINE_EXECUTION_ARN,
            "ProjectId": PROJECT,
        },
        "ModelCard": {"ModelCardContent": model_card(context, split, train, evaluate), "ModelCardStatus": "Draft"},
        "CustomerMetadataProperties": {**_about(context, evaluate), **_deployment(context)},
    }


def _about(context: Context, evaluate: ProcessingStep) -> dict[str, str | PipelineVariable]:
    """What has no place among ModelMetrics: the report for people, the photo for the smoke test, the gate."""
    return {
        "Report": uri_below(output_uri(evaluate, "report"), "report.html"),
        "SmokeTest": uri_below(output_uri(evaluate, "evaluation"), "smoke.json"),
        "MinMacroF1": context.parameters.min_macro_f1.to_string(),
        "MinImprovement": context.parameters.min_improvement.to_string(),
        # The guide shows JsonGet in conditions; the SDK takes it in any step's arguments, where results of its @step
        # functions are nothing else.
        "DataHash": _evaluated(evaluate, DATA_HASH),
        "Profile": context.settings.profile,
    }


def _deployment(context: Context) -> dict[str, str]:
    """How to deploy, as the deploy function reads it: the version brings its machines along."""
    deploy = context.settings.deploy
    return {
        "StagingInstanceType": deploy.staging_instance_type,
        "InstanceType": deploy.instance_type,
        "InstanceCount": str(deploy.instance_count),
        "MaxInstanceCount": str(deploy.max_instance_count),
        "InvocationsPerInstance": str(deploy.invocations_per_instance),
        "BakeSeconds": str(deploy.bake_seconds),
        "LatencyLimitMs": str(deploy.latency_limit_ms),
        "CapturePercent": str(deploy.capture_percent),
    }


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
