"""The instances that an execution needs at the same time, out of its definition and parameters."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.aws.launching.models import Need, Use


def needs(definition: str, parameters: Mapping[str, str]) -> tuple[Need, ...]:
    """Return the most of each type that any one step has in use; more where steps run side by side.

    What no parameter says before the execution (an instance type that a step gives) is left out.
    """
    whole = json.loads(definition)
    values = {one["Name"]: one.get("DefaultValue") for one in whole.get("Parameters", [])} | dict(parameters)
    most: dict[tuple[Use, str], int] = {}
    for use, instance_type, count in _of_steps(whole.get("Steps", []), values):
        most[use, instance_type] = max(count, most.get((use, instance_type), 0))
    return tuple(Need(use, instance_type, count) for (use, instance_type), count in sorted(most.items()))


def _of_steps(steps: list[dict[str, Any]], values: Mapping[str, Any]) -> Iterator[tuple[Use, str, int]]:
    for step in steps:
        arguments = step.get("Arguments", {})
        for use, resources, times in _clusters(step["Type"], arguments):
            instance_type = _value(resources.get("InstanceType"), values)
            count = _number(resources.get("InstanceCount", 1), values) * _number(times, values)
            if isinstance(instance_type, str) and count:
                yield use, instance_type, count
        for branch in ("IfSteps", "ElseSteps"):
            yield from _of_steps(arguments.get(branch, []), values)


def _clusters(kind: str, arguments: Mapping[str, Any]) -> Iterator[tuple[Use, Mapping[str, Any], Any]]:
    """Yield what a step's instances are for, its cluster, and how many of these there are at once."""
    if kind == "Processing":
        yield "processing", arguments.get("ProcessingResources", {}).get("ClusterConfig", {}), 1
    elif kind == "Training":
        yield _training(arguments), arguments.get("ResourceConfig", {}), 1
    elif kind == "Tuning":
        limits = arguments.get("HyperParameterTuningJobConfig", {}).get("ResourceLimits", {})
        many = arguments.get("TrainingJobDefinitions", [])
        for job in [arguments["TrainingJobDefinition"], *many] if "TrainingJobDefinition" in arguments else many:
            yield _training(job), job.get("ResourceConfig", {}), limits.get("MaxParallelTrainingJobs", 1)


def _training(job: Mapping[str, Any]) -> Use:
    return "spot training" if job.get("EnableManagedSpotTraining") is True else "training"


def _value(expression: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401
    """Return a constant, or the value of the parameter that an expression names; None for any other expression."""
    if not isinstance(expression, dict):
        return expression
    name = str(expression.get("Get", ""))
    return values.get(name.removeprefix("Parameters.")) if name.startswith("Parameters.") else None


def _number(expression: Any, values: Mapping[str, Any]) -> int:  # noqa: ANN401
    try:
        return int(_value(expression, values))
    except (TypeError, ValueError):
        return 0
