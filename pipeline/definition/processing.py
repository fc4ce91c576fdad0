"""Arguments of the processing steps, Split and Evaluate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sagemaker.core.helper.pipeline_variable import PipelineVariable
from sagemaker.core.network import NetworkConfig
from sagemaker.core.processing import Processor
from sagemaker.core.shapes import ProcessingInput, ProcessingOutput, ProcessingS3Input, ProcessingS3Output
from sagemaker.core.workflow.properties import PropertyFile
from sagemaker.mlops.workflow.lambda_step import LambdaStep
from sagemaker.mlops.workflow.steps import ProcessingStep, TrainingStep

from pipeline.data.manifests import LABEL_MANIFEST, PHOTO_MANIFEST
from pipeline.definition.common import Context, uri_below
from pipeline.images import image_uri

EVALUATION = PropertyFile(name="Evaluation", output_name="evaluation", path="evaluation.json")
_ROOT = "/opt/ml/processing"


def split_arguments(context: Context) -> Any:  # noqa: ANN401
    """Photos and labels in; train, validation, test, auxiliary photos and the report out."""
    settings, parameters = context.settings.split, context.parameters
    listed = settings.data_type == "ManifestFile"
    photos, labels = (PHOTO_MANIFEST, LABEL_MANIFEST) if listed else ("bin-images/", "metadata/")
    inputs = [
        _input("photos", uri_below(parameters.data_uri, photos), settings.data_type, sharded=True),
        _input("labels", uri_below(parameters.data_uri, labels), settings.data_type),
    ]
    if settings.previous_split_uri:
        inputs.append(_input("previous", settings.previous_split_uri))
    arguments = {
        "--validation": str(settings.validation),
        "--test": str(settings.test),
        "--size": str(settings.size),
        "--side": settings.side,
        "--salt": settings.salt,
        "--max-rejected": parameters.max_rejected.to_string(),
        "--max-missing": str(settings.max_missing),
    }
    processor = _processor(context, "split", parameters.processing_instance_type, parameters.processing_instance_count)
    return processor.run(
        inputs=inputs,
        outputs=[_output(context, "split", name) for name in ("train", "validation", "test", "auxiliary", "report")],
        arguments=_flat(arguments),
    )


def evaluate_arguments(context: Context, split: ProcessingStep, train: TrainingStep, champion: LambdaStep) -> Any:  # noqa: ANN401
    """Model, champion, test set and split report in; metrics, smoke photo and report out.

    A new champion is another input and argument, and so a miss of the cache; the same one is a hit.
    """
    inputs = [
        _input("model", train.properties.ModelArtifacts.S3ModelArtifacts),
        _input("champion", champion.properties.Outputs["ModelDataUrl"]),
        _input("test", output_uri(split, "test")),
        _input("split", output_uri(split, "report")),
    ]
    # The gate is shown in the report. It makes the minima a part of Evaluate's cache key: a report that is silent
    # about its verdict would cost more.
    arguments = {
        "--champion": champion.properties.Outputs["Version"],
        "--minimum-macro-f1": context.parameters.min_macro_f1.to_string(),
        "--minimum-improvement": context.parameters.min_improvement.to_string(),
    }
    return _processor(context, "evaluate", context.parameters.evaluation_instance_type, 1).run(
        inputs=inputs,
        outputs=[_output(context, "evaluate", name) for name in ("evaluation", "report")],
        arguments=_flat(arguments),
    )


def output_uri(step: ProcessingStep, name: str) -> PipelineVariable:
    """Return the S3 URI of a processing step's output, known at run time."""
    return step.properties.ProcessingOutputConfig.Outputs[name].S3Output.S3Uri


def _processor(
    context: Context,
    step: Literal["split", "evaluate"],
    instance_type: PipelineVariable,
    instance_count: PipelineVariable | int,
) -> Processor:
    aws, job = context.settings.aws, getattr(context.settings, step)
    return Processor(
        role=context.settings.role("processing"),
        image_uri=image_uri(step, context.settings),
        entrypoint=["python3", "-m", f"steps.{step}"],
        instance_count=instance_count,
        instance_type=instance_type,
        volume_size_in_gb=job.volume_gb,
        volume_kms_key=None if job.has_local_disk else aws.volume_kms_key,
        output_kms_key=aws.output_kms_key,
        max_runtime_in_seconds=60 * job.max_runtime_minutes,
        sagemaker_session=context.session,
        tags=context.tags(step),
        network_config=NetworkConfig(
            enable_network_isolation=True,
            encrypt_inter_container_traffic=True,
            security_group_ids=list(aws.security_groups) or None,
            subnets=list(aws.subnets) or None,
        ),
    )


def _input(
    name: str, uri: PipelineVariable | str, data_type: str = "S3Prefix", *, sharded: bool = False
) -> ProcessingInput:
    return ProcessingInput(
        input_name=name,
        s3_input=ProcessingS3Input(
            s3_uri=uri,
            local_path=f"{_ROOT}/input/{name}",
            s3_data_type=data_type,
            s3_input_mode="File",
            s3_data_distribution_type="ShardedByS3Key" if sharded else "FullyReplicated",
        ),
    )


def _output(context: Context, step: str, name: str) -> ProcessingOutput:
    return ProcessingOutput(
        output_name=name,
        s3_output=ProcessingS3Output(
            s3_uri=context.execution_uri(step, name), local_path=f"{_ROOT}/output/{name}", s3_upload_mode="EndOfJob"
        ),
    )


def _flat(arguments: Mapping[str, str | PipelineVariable]) -> list[str | PipelineVariable]:
    return [word for pair in arguments.items() for word in pair]
