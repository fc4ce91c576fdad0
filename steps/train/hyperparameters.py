"""What a training job may be asked for: the hyperparameters, their limits and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from steps.common.job import JobError

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
Share = Annotated[float, Field(ge=0, le=1)]
RESERVED = "sagemaker_"  # the SDK's own keys, which some of its classes add


class Hyperparameters(BaseModel):
    """All of a job's hyperparameters. The names are part of the pipeline's contract."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    epochs: Annotated[int, Field(ge=1, le=10_000)] = 30
    batch_size: Annotated[int, Field(ge=1, le=65_536, description="photos a step, over all processes")] = 64
    learning_rate: Annotated[float, Field(gt=0, le=10, description="peak, of AdamW")] = 1e-3
    final_rate: Annotated[Share, Field(description="of learning_rate, at the last step")] = 0.01
    weight_decay: Annotated[float, Field(ge=0, le=10, description="not on norms and biases")] = 0.05
    warmup_epochs: Annotated[float, Field(ge=0)] = 1.0
    ordinal_sigma: Annotated[float, Field(ge=0, le=10, description="items; 0: one-hot targets")] = 0.5
    class_balance: Annotated[Share, Field(description="0: as the data is, 1: each class weighs the same")] = 0.5
    record_weight: Annotated[
        float, Field(ge=0, le=10, description="of the items' records in the objective; 0: off")
    ] = 0.3
    teacher_weight: Annotated[
        Share, Field(description="of the teachers' answers in the targets, where there are some")
    ] = 0.5
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.4
    drop_path: Annotated[float, Field(ge=0, lt=1, description="where the backbone has stochastic depth")] = 0.1
    ema_decay: Annotated[float, Field(ge=0, lt=1, description="0: no averaging")] = 0.999
    augment: Annotated[Share, Field(description="strength; 0: none")] = 1.0
    backbone: Backbone = "efficientnet_lite0"
    weights: Literal["package", "channel", "none"] = "package"
    image_size: Annotated[
        int, Field(ge=32, le=1024, description="side of the square input, pixels, without border")
    ] = 224
    start_size: Annotated[
        int, Field(ge=0, le=1024, description="side of the pictures in the first epoch; 0: as later")
    ] = 0
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    engine: Annotated[
        Literal["auto", "onnxruntime", "openvino"], Field(description="that serves the model; auto: the fastest")
    ] = "auto"
    patience: Annotated[int, Field(ge=0, description="epochs without a lower loss on validation; 0: off")] = 10
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    # A person who counts again what is right 6 or 7 times in 10 finds little; and a counter that is right 4 times in 10
    # over all photos reaches more than 0.7 on next to none of them.
    target_accuracy: Annotated[Share, Field(description="of answers that stand without a person")] = 0.7
    checkpoint_steps: Annotated[int, Field(ge=0, description="0: at each epoch's end only")] = 0
    freeze_batchnorm: bool = False
    sam_rho: Annotated[float, Field(ge=0, le=10, description="radius of sharpness-aware steps; 0: plain ones")] = 0.0
    clip_norm: Annotated[float, Field(ge=0, description="0: off")] = 1.0


def parse(values: Mapping[str, str]) -> Hyperparameters:
    """Check the strings of `hyperparameters.json`.

    Raises:
        JobError: an unknown name (the known ones are listed) or a value out of its limits.
    """
    known = Hyperparameters.model_fields
    asked = {name: value for name, value in values.items() if not name.startswith(RESERVED)}
    if unknown := sorted(set(asked) - set(known)):
        raise JobError(f"unknown hyperparameter {', '.join(unknown)}; known are {', '.join(known)}")
    try:
        return Hyperparameters.model_validate(asked)
    except ValidationError as error:
        faults = [f"{fault['loc'][0]}={fault['input']!r}: {fault['msg']}" for fault in error.errors()]
        raise JobError(f"hyperparameter {'; '.join(faults)}") from None
