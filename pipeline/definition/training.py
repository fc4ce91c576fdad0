"""Arguments of the steps that train: Tune (the trials) and Train (DDP)."""

from __future__ import annotations

from typing import Any, Literal

from sagemaker.core.helper.pipeline_variable import PipelineVariable
from sagemaker.core.parameter import CategoricalParameter, ContinuousParameter, IntegerParameter, ParameterRange
from sagemaker.core.workflow.functions import Join
from sagemaker.mlops.workflow.steps import ProcessingStep, TuningStep
from sagemaker.train import ModelTrainer
from sagemaker.train.configs import (
    CheckpointConfig,
    Compute,
    InputData,
    MetricDefinition,
    Networking,
    OutputDataConfig,
    RetryStrategy,
    StoppingCondition,
)
from sagemaker.train.tuner import HyperparameterTuner

from pipeline.definition.common import Context
from pipeline.definition.processing import output_uri
from pipeline.images import image_uri
from pipeline.job_settings import Hyperparameters, Range
from pipeline.settings import PROJECT

# Of a thousand photos macro-F1 moves by two points by chance, and searches by it end at the luckiest trial.
OBJECTIVE = "best_val_loss"
METRICS = (
    "train_loss",
    "val_loss",
    "val_accuracy",
    "val_macro_f1",
    "val_mae",
    "val_coverage",
    "images_per_second",
    "best_val_macro_f1",
    OBJECTIVE,
)


def tune_arguments(context: Context, split: ProcessingStep) -> Any:  # noqa: ANN401
    """Search the ranges for the lowest loss of the calibrated answers on the validation set."""
    settings = context.settings.tune
    otherwise = settings.hyperparameters.model_dump(exclude_unset=True)
    told = {**_hyperparameters(context), **_texts(otherwise), "epochs": context.parameters.tuning_epochs}
    del told["teacher_weight"]  # trials have no teachers, and with another weight they stay in the cache
    trainer = _trainer(context, "tune", told)
    trainer.with_retry_strategy(RetryStrategy(maximum_retry_attempts=settings.retries))
    tuner = HyperparameterTuner(
        model_trainer=trainer,
        objective_metric_name=OBJECTIVE,
        objective_type="Minimize",
        metric_definitions=[{"Name": name, "Regex": metric_regex(name)} for name in METRICS],
        hyperparameter_ranges={name: _range(name, range_) for name, range_ in settings.ranges.items()},
        strategy=settings.strategy,
        max_jobs=settings.trials,
        max_parallel_jobs=settings.parallel_trials,
        early_stopping_type="Auto" if settings.early_stopping else "Off",
        random_seed=settings.random_seed,
    )
    return tuner.tune(inputs=_channels(context, split), wait=False)


def train_arguments(context: Context, split: ProcessingStep, tune: TuningStep) -> Any:  # noqa: ANN401
    """Train with what the search found, over all hosts; its best models teach the new one."""
    best = tune.properties.BestTrainingJob.TunedHyperParameters
    tuned = {name: best[name] for name in context.settings.tune.ranges}
    trainer = _trainer(context, "train", {**_hyperparameters(context), **tuned, "epochs": context.parameters.epochs})
    trainer.with_metric_definitions([MetricDefinition(name=name, regex=metric_regex(name)) for name in METRICS])
    return trainer.train(input_data_config=[*_channels(context, split), *_teachers(context, tune)], wait=False)


def _teachers(context: Context, tune: TuningStep) -> list[InputData]:
    """Return a channel for each of the search's best models.

    The prefix comes from the search's own description and not from this execution, since the search may be out of the
    cache: then its models lie where an earlier execution left them.
    """
    found = tune.properties
    prefix = found.TrainingJobDefinition.OutputDataConfig.S3OutputPath
    trials = [found.TrainingJobSummaries[place].TrainingJobName for place in range(context.settings.train.teachers)]
    return [
        InputData(
            channel_name=f"teacher_{place}", data_source=Join(on="/", values=[prefix, name, "output/model.tar.gz"])
        )
        for place, name in enumerate(trials, start=1)
    ]


def metric_regex(name: str) -> str:
    """Return what finds a metric in the line `epoch=3 train_loss=0.91 ...`.

    The space in front keeps `val_macro_f1` from matching inside `best_val_macro_f1`.
    """
    return f"[ ]{name}=([-+0-9.eE]+)"


def _trainer(
    context: Context, step: Literal["tune", "train"], hyperparameters: dict[str, str | PipelineVariable]
) -> ModelTrainer:
    settings, aws, parameters = context.settings, context.settings.aws, context.parameters
    job = getattr(settings, step)
    kind = "tuning" if step == "tune" else "training"
    return ModelTrainer(
        training_image=image_uri("train", settings),
        role=settings.role("training"),
        base_job_name=step,
        sagemaker_session=context.session,
        hyperparameters={
            name: value.to_string() if isinstance(value, PipelineVariable) else value
            for name, value in hyperparameters.items()
        },
        compute=Compute(
            instance_type=getattr(parameters, f"{kind}_instance_type"),
            instance_count=getattr(parameters, f"{kind}_instance_count"),
            volume_size_in_gb=job.volume_gb,
            volume_kms_key_id=None if job.has_local_disk else aws.volume_kms_key,
            enable_managed_spot_training=job.spot,
        ),
        networking=Networking(
            enable_network_isolation=True,
            enable_inter_container_traffic_encryption=True,
            subnets=list(aws.subnets) or None,
            security_group_ids=list(aws.security_groups) or None,
        ),
        stopping_condition=StoppingCondition(
            max_runtime_in_seconds=60 * job.max_runtime_minutes,
            max_wait_time_in_seconds=60 * job.max_wait_minutes if job.spot else None,
        ),
        output_data_config=OutputDataConfig(s3_output_path=context.execution_uri(step), kms_key_id=aws.output_kms_key),
        # Trials of one job share one prefix: worth it only where machines go away.
        checkpoint_config=_checkpoints(context, step) if step == "train" or job.spot else None,
        tags=[{"key": tag["Key"], "value": tag["Value"]} for tag in context.tags(step)],
    )


def _checkpoints(context: Context, step: str) -> CheckpointConfig:
    # The same place in every execution, since it is a part of the cache key; the training code keeps runs apart there
    # by a fingerprint of hyperparameters, data and code, and clears up after itself.
    settings = context.settings
    return CheckpointConfig(s3_uri=f"s3://{settings.aws.bucket}/{PROJECT}/checkpoints/{settings.profile}/{step}/")


def _hyperparameters(context: Context) -> dict[str, str | PipelineVariable]:
    return {**_texts(context.settings.hyperparameters.model_dump()), **context.parameters.hyperparameters}


def _texts(values: dict[str, object]) -> dict[str, str]:
    return {name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in values.items()}


def _range(name: str, range_: Range) -> ParameterRange:
    if range_.values:
        return CategoricalParameter(list(range_.values))
    if Hyperparameters.model_fields[name].annotation is int:
        return IntegerParameter(int(range_.min or 0), int(range_.max or 0), range_.scale)
    return ContinuousParameter(range_.min, range_.max, range_.scale)


def _channels(context: Context, split: ProcessingStep) -> list[InputData]:
    sources = {name: output_uri(split, name) for name in ("train", "validation", "auxiliary")}
    sources["split"] = output_uri(split, "report")
    if context.settings.train.weights_uri:
        sources["weights"] = context.settings.train.weights_uri
    return [InputData(channel_name=name, data_source=source) for name, source in sources.items()]
