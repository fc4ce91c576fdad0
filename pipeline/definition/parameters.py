"""What a user may set when an execution starts: the pipeline's parameters, their defaults from the settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

from sagemaker.core.workflow.parameters import Parameter, ParameterFloat, ParameterInteger, ParameterString

from pipeline.job_settings import Backbone
from pipeline.settings import Settings

# Hyperparameters that are parameters of the pipeline, as long as the search does not choose them.
HYPERPARAMETERS = {"seed": "Seed", "backbone": "Backbone", "batch_size": "BatchSize", "image_size": "ImageSize"}


@dataclass(frozen=True)
class Parameters:
    """The parameters; `hyperparameters` holds those among them that training is told by name."""

    data_uri: ParameterString
    max_rejected: ParameterFloat
    processing_instance_type: ParameterString
    processing_instance_count: ParameterInteger
    evaluation_instance_type: ParameterString
    tuning_instance_type: ParameterString
    tuning_instance_count: ParameterInteger
    training_instance_type: ParameterString
    training_instance_count: ParameterInteger
    tuning_epochs: ParameterInteger
    epochs: ParameterInteger
    min_macro_f1: ParameterFloat
    min_improvement: ParameterFloat
    approval_status: ParameterString
    commit_id: ParameterString
    hyperparameters: dict[str, Parameter]

    def all(self) -> list[Parameter]:
        """Return every parameter, in the order of the definition."""
        own = [value for value in vars(self).values() if isinstance(value, Parameter)]
        return [*own, *self.hyperparameters.values()]


def declare(settings: Settings) -> Parameters:
    """Declare the parameters with the settings as defaults."""
    split, tune, train, gate = settings.split, settings.tune, settings.train, settings.gate
    return Parameters(
        data_uri=ParameterString("DataUri", settings.data_uri),
        max_rejected=ParameterFloat("MaxRejected", split.max_rejected),
        processing_instance_type=ParameterString("ProcessingInstanceType", split.instance_type),
        processing_instance_count=ParameterInteger("ProcessingInstanceCount", split.instance_count),
        evaluation_instance_type=ParameterString("EvaluationInstanceType", settings.evaluate.instance_type),
        tuning_instance_type=ParameterString("TuningInstanceType", tune.instance_type),
        tuning_instance_count=ParameterInteger("TuningInstanceCount", tune.instance_count),
        training_instance_type=ParameterString("TrainingInstanceType", train.instance_type),
        training_instance_count=ParameterInteger("TrainingInstanceCount", train.instance_count),
        tuning_epochs=ParameterInteger("TuningEpochs", tune.epochs),
        epochs=ParameterInteger("Epochs", train.epochs),
        min_macro_f1=ParameterFloat("MinMacroF1", gate.min_macro_f1),
        min_improvement=ParameterFloat("MinImprovement", gate.min_improvement),
        approval_status=ParameterString(
            "ApprovalStatus", gate.approval_status, enum_values=["PendingManualApproval", "Approved", "Rejected"]
        ),
        # A default that never changes: the commit must not change the compiled bytes, nor any cache key.
        commit_id=ParameterString("CommitId", "unknown"),
        hyperparameters={
            name: _declare(parameter, getattr(settings.hyperparameters, name))
            for name, parameter in HYPERPARAMETERS.items()
            if name not in tune.ranges
        },
    )


def _declare(name: str, default: str | int) -> Parameter:
    if isinstance(default, str):
        return ParameterString(name, default, enum_values=list(get_args(Backbone)))
    return ParameterInteger(name, default)
