"""Settings of the jobs: where each runs and for how long, and what it is told. The rest is in `pipeline.settings`."""

from __future__ import annotations

import re
from math import prod
from typing import Literal, Self

from pydantic import Field, field_serializer, model_validator

from pipeline.errors import did_you_mean
from pipeline.setting_types import InstanceType, S3Uri, Share, Strict

# Families with NVMe disks: the attribute d in the name, and accelerated ones (EC2 user guide, instance store volumes).
_LOCAL_DISK = re.compile(r"ml\.([a-z]+\d+[a-z]*d[a-z]*|g[56]e?|gr6|p5\w*|p6[\w-]*|trn\w+|i\d\w*)\.")
Backbone = Literal[
    "efficientnet_lite0",
    "efficientnet_lite1",
    "efficientnet_lite2",
    "resnet18",
    "resnet34",
    "resnet50",
    "efficientnet_v2_s",
    "convnext_tiny",
    "mobilenet_v3_large",
]


def has_local_disk(instance_type: str) -> bool:
    """Say whether machines of a type have their disk inside: SageMaker gives those no EBS volume."""
    return _LOCAL_DISK.match(instance_type) is not None


class Job(Strict):
    """Where a job runs. Type and count are defaults of pipeline parameters."""

    instance_type: InstanceType = "ml.m5.xlarge"
    instance_count: int = Field(default=1, ge=1, le=20)
    volume_gb: int = Field(default=30, ge=1, le=16384)
    max_runtime_minutes: int = Field(default=60, ge=2, le=12960)  # nine days, of a processing job

    @property
    def has_local_disk(self) -> bool:
        """Whether the disk is inside the machine: encrypted by its hardware, and no job with one takes a key."""
        return has_local_disk(self.instance_type)


class Split(Job):
    """How photos become train, validation and test sets."""

    data_uri: S3Uri | None = Field(default=None, description="default of DataUri; None: s3://<bucket>/data")
    data_type: Literal["S3Prefix", "ManifestFile"] = Field(
        default="S3Prefix", description="what lies at DataUri: photos and records, or `data manifest`'s lists of them"
    )
    validation: Share = 0.15
    test: Share = 0.15
    size: int = Field(default=256, ge=16, le=2048, description="pixels of the resized side")
    side: Literal["short", "long"] = "short"
    salt: str = Field(default="5", max_length=64, pattern=r"^[\w.-]+$", description="another text, another assignment")
    max_rejected: Share = Field(default=0.05, description="share of unusable photos that fails the job")
    max_missing: Share = Field(default=1.0, description="share of labels without a photo that fails the job")
    previous_split_uri: S3Uri | None = Field(default=None, description="an earlier Split's report: its photos stay put")

    @model_validator(mode="after")
    def _something_to_train_on(self) -> Self:
        if self.validation + self.test >= 1:
            raise ValueError("validation and test together must leave photos to train on")
        return self


class Hyperparameters(Strict):
    """What the training step is told: its names, limits and defaults, which a test compares."""

    batch_size: int = Field(default=64, ge=1, description="photos a step, over all ranks")
    learning_rate: float = Field(default=1e-3, gt=0, le=10)
    final_rate: Share = Field(default=0.01, description="of learning_rate, at the last step")
    weight_decay: float = Field(default=0.05, ge=0, le=10)
    warmup_epochs: float = Field(default=1.0, ge=0)
    ordinal_sigma: float = Field(default=0.5, ge=0, le=10, description="width of the soft targets, items; 0: one-hot")
    class_balance: Share = Field(default=0.5, description="0: as drawn, 1: every class alike")
    record_weight: float = Field(
        default=0.3, ge=0, le=10, description="of the items' records, where there are some; 0: off"
    )
    teacher_weight: Share = Field(
        default=0.5, description="of Tune's best models in what Train learns, see train.teachers"
    )
    dropout: float = Field(default=0.4, ge=0, lt=1)
    drop_path: float = Field(default=0.1, ge=0, lt=1)
    ema_decay: float = Field(default=0.999, ge=0, lt=1)
    augment: Share = 1.0
    backbone: Backbone = "efficientnet_lite0"
    weights: Literal["package", "channel", "none"] = "package"
    image_size: int = Field(default=224, ge=32, le=1024, description="pixels a side")
    start_size: int = Field(
        default=0, ge=0, le=1024, description="pixels in the first epoch, border included; 0: as later"
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    engine: Literal["auto", "onnxruntime", "openvino"] = Field(
        default="auto", description="that serves the model; auto: the fastest that keeps the score"
    )
    patience: int = Field(default=10, ge=0, description="epochs without progress before training stops; 0: never")
    seed: int = Field(default=0, ge=0, lt=2**31)
    target_accuracy: Share = Field(default=0.7, description="of the answers that no person is asked about")
    checkpoint_steps: int = Field(default=0, ge=0, description="steps between checkpoints; 0: at epochs only")
    freeze_batchnorm: bool = False
    sam_rho: float = Field(default=0.0, ge=0, le=10, description="radius of sharpness-aware steps; 0: plain ones")
    clip_norm: float = Field(default=1.0, ge=0, description="0: no clipping")


class Training(Job):
    """What trials and the training job have in common."""

    max_runtime_minutes: int = Field(default=60, ge=2, le=40320)
    spot: bool = False
    max_wait_minutes: int = Field(default=0, ge=0, le=40320, description="longest wait for spot machines, run included")

    @model_validator(mode="after")
    def _wait_covers_run(self) -> Self:
        if self.spot and self.max_wait_minutes < self.max_runtime_minutes:
            raise ValueError("with spot, max_wait_minutes is at least max_runtime_minutes")
        return self


class Train(Training):
    """The training job that makes the model."""

    epochs: int = Field(default=30, ge=1, le=1000)
    weights_uri: S3Uri | None = Field(default=None, description="the `weights` channel, where weights = channel")
    teachers: int = Field(default=0, ge=0, le=10, description="of Tune's best models, whose answers it learns from")


class Range(Strict):
    """The values of one tuned hyperparameter: `min` to `max`, or a list of `values`."""

    min: float | None = None
    max: float | None = None
    scale: Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"] = "Auto"
    values: tuple[str, ...] = Field(default=(), max_length=30)

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if self.values:
            if self.min is not None or self.max is not None:
                raise ValueError("a range has min and max, or values, not both")
        elif self.min is None or self.max is None or self.min >= self.max:
            raise ValueError("a range has min below max, or values")
        elif self.scale == "Logarithmic" and self.min <= 0:
            raise ValueError("a Logarithmic range has min above 0")
        elif self.scale == "ReverseLogarithmic" and not (self.min >= 0 and self.max < 1):
            raise ValueError("a ReverseLogarithmic range lies in 0 <= x < 1")
        return self


class Tune(Training):
    """The search. Instance type and count are those of each trial."""

    epochs: int = Field(default=10, ge=1, le=1000, description="of each trial")
    hyperparameters: Hyperparameters = Field(
        default=Hyperparameters(), description="what trials are told otherwise than Train: those that are set here"
    )
    strategy: Literal["Bayesian", "Random", "Grid"] = "Bayesian"
    trials: int = Field(default=4, ge=1, le=750)
    parallel_trials: int = Field(default=2, ge=1, le=100)
    early_stopping: bool = Field(default=False, description="stop trials below the running median of the others")
    random_seed: int = Field(default=1, ge=1)
    retries: int = Field(default=2, ge=1, le=30, description="of a trial, after an internal error of the service")
    ranges: dict[str, Range] = Field(
        default={
            "learning_rate": Range(min=2e-4, max=5e-3, scale="Logarithmic"),
            "weight_decay": Range(min=1e-3, max=0.2, scale="Logarithmic"),
            "ordinal_sigma": Range(min=0.0, max=1.0, scale="Linear"),
        },
        min_length=1,
        max_length=30,
    )

    @field_serializer("hyperparameters")
    def _set_ones(self, value: Hyperparameters) -> dict[str, object]:
        return value.model_dump(exclude_unset=True)

    @model_validator(mode="after")
    def _told_or_tuned(self) -> Self:
        if both := sorted(self.hyperparameters.model_fields_set & set(self.ranges)):
            raise ValueError(f"{both[0]} has a range: leave it out of tune.hyperparameters")
        if "teacher_weight" in self.hyperparameters.model_fields_set | set(self.ranges):
            raise ValueError("trials have no teachers: teacher_weight is for Train alone")
        return self

    @model_validator(mode="after")
    def _known_ranges(self) -> Self:
        for name, range_ in self.ranges.items():
            if name not in Hyperparameters.model_fields:
                raise ValueError(
                    f"range of {name}, which is no hyperparameter{did_you_mean(name, Hyperparameters.model_fields)}"
                )
            kind = Hyperparameters.model_fields[name].annotation
            if not range_.values and kind not in {int, float}:
                raise ValueError(f"range of {name} needs values: it is no number")
            if kind is int and not all(float(end or 0).is_integer() for end in (range_.min, range_.max)):
                raise ValueError(f"range of {name} has whole numbers for min and max")
        if self.strategy == "Grid" and not all(range_.values for range_ in self.ranges.values()):
            raise ValueError("a Grid search needs values, not min and max, in every range")
        points = prod(len(range_.values) for range_ in self.ranges.values())
        if self.strategy == "Grid" and self.trials != points:
            raise ValueError(f"a Grid search tries every point once: set trials to {points}")
        return self


class Evaluate(Job):
    """The evaluation, always on one instance."""
