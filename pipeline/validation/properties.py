"""What a step leaves: the members of its API's answer, which references of later steps name."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

from pipeline.validation.document import Step, objects

# What a reference to a type of step reads.
RESPONSES = {
    "Processing": ("DescribeProcessingJobResponse",),
    "Training": ("DescribeTrainingJobResponse",),
    "Tuning": ("DescribeHyperParameterTuningJobResponse", "ListTrainingJobsForHyperParameterTuningJobResponse"),
    "Transform": ("DescribeTransformJobResponse",),
    "Model": ("DescribeModelOutput",),
    "RegisterModel": ("DescribeModelPackageOutput",),
}


@lru_cache(maxsize=1)
def service_model() -> ServiceModel:
    """Return botocore's model of SageMaker; no session, so nothing of the user's configuration is read."""
    return ServiceModel(Loader().load_service_model("sagemaker", "service-2"), "sagemaker")


def follow(step: Step, parts: tuple[str | int, ...]) -> Any:  # noqa: ANN401
    """Return the shape at the end of a path into what the step leaves, or as text the first part that is not there."""
    found = [_walk(service_model().shape_for(response), parts, step) for response in RESPONSES[step.type]]
    return next((shape for shape in found if not isinstance(shape, str)), found[0])


def _walk(shape: Any, parts: tuple[str | int, ...], step: Step) -> Any:  # noqa: ANN401
    previous: str | int = ""
    for index, part in enumerate(parts):
        so_far = ".".join(str(name) for name in parts[: index + 1])
        if shape.type_name == "structure" and part in shape.members:
            shape = shape.members[part]
        elif shape.type_name == "map" and isinstance(part, str):
            if previous == "TunedHyperParameters" and part not in _tuned(step):
                return f"{so_far}: it tunes {', '.join(sorted(_tuned(step)))}"
            shape = shape.value
        elif shape.type_name == "list" and isinstance(part, int):
            shape = shape.member
        elif shape.type_name == "list" and (names := _elements(step, previous)) is not None:
            if part not in names:
                return f"{so_far}: there are {', '.join(sorted(names)) or 'none'}"
            shape = shape.member
        else:
            return so_far
        previous = part
    return shape


def _elements(step: Step, member: str | int) -> set[str] | None:
    """Return the names by which a list's elements can be picked, as Outputs['train'] does; None where it has none."""
    arguments = step.arguments
    match member:
        case "Outputs":
            return outputs(step)
        case "ProcessingInputs":
            return names(arguments.get("ProcessingInputs"), "InputName")
        case "InputDataConfig":
            return names(arguments.get("InputDataConfig"), "ChannelName")
        case "FinalMetricDataList":
            algorithm = arguments.get("AlgorithmSpecification")
            return names(algorithm.get("MetricDefinitions"), "Name") if isinstance(algorithm, dict) else set()
    return None


def outputs(step: Step) -> set[str]:
    """Return the names of a processing step's outputs."""
    config = step.arguments.get("ProcessingOutputConfig")
    return names(config.get("Outputs"), "OutputName") if isinstance(config, dict) else set()


def names(value: Any, key: str) -> set[str]:  # noqa: ANN401
    """Return what the objects in a list are called by a member."""
    return {item[key] for item in objects(value) if isinstance(item.get(key), str)}


def _tuned(step: Step) -> set[str]:
    arguments = step.arguments
    holders = [arguments.get("HyperParameterTuningJobConfig"), arguments.get("TrainingJobDefinition")]
    holders += objects(arguments.get("TrainingJobDefinitions"))
    found: set[str] = set()
    for holder in holders:
        for key in ("ParameterRanges", "HyperParameterRanges"):
            ranges = holder.get(key) if isinstance(holder, dict) else None
            for kind in ranges.values() if isinstance(ranges, dict) else ():
                found |= names(kind, "Name")
    return found
