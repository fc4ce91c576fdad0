"""The pipeline's own parameters are settings that an execution may change: the settings' limits hold for them too."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from pipeline.errors import UserError
from pipeline.job_settings import Evaluate, Hyperparameters, Split, Train, Tune
from pipeline.setting_types import Strict
from pipeline.settings import Gate

SETTINGS: Mapping[str, tuple[type[Strict], str]] = {
    "MaxRejected": (Split, "max_rejected"),
    "ProcessingInstanceType": (Split, "instance_type"),
    "ProcessingInstanceCount": (Split, "instance_count"),
    "EvaluationInstanceType": (Evaluate, "instance_type"),
    "TuningInstanceType": (Tune, "instance_type"),
    "TuningInstanceCount": (Tune, "instance_count"),
    "TrainingInstanceType": (Train, "instance_type"),
    "TrainingInstanceCount": (Train, "instance_count"),
    "TuningEpochs": (Tune, "epochs"),
    "Epochs": (Train, "epochs"),
    "MinMacroF1": (Gate, "min_macro_f1"),
    "MinImprovement": (Gate, "min_improvement"),
    "Seed": (Hyperparameters, "seed"),
    "BatchSize": (Hyperparameters, "batch_size"),
    "ImageSize": (Hyperparameters, "image_size"),
}
"""Section and name of the setting that is a parameter's default. The service itself checks no ranges."""


def check_limits(given: Mapping[str, str]) -> None:
    """Refuse values that the first job to see them would fail with, maybe after hours of others.

    Raises:
        UserError: a value is outside of its setting's limits.
    """
    for name, value in given.items():
        if name not in SETTINGS:
            continue
        section, setting = SETTINGS[name]
        try:
            section.model_validate({setting: value})
        except ValidationError as error:
            reason = error.errors(include_url=False)[0]["msg"]
            raise UserError(f"parameter {name} is {value!r}: {reason[:1].lower()}{reason[1:]}") from None
