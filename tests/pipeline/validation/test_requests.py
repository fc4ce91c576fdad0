from collections.abc import Callable
from typing import Any

import pytest

from pipeline.validate import Fault

# What is wrong; where it is sown (`Steps/0` is Split, then Tune, Train, Champion, Evaluate, Gate) and what, `...` to
# take away; the path in the answer and a part of its message.
SEEDS: list[tuple[str, str, Any, str, str]] = [
    ("unknown request key", "Steps/2/Arguments/Image", "x", "Steps[2].Arguments.Image", "unknown key"),
    (
        "unknown nested key",
        "Steps/1/Arguments/TrainingJobDefinition/ResourceConfig/Count",
        1,
        "Steps[1].Arguments.TrainingJobDefinition.ResourceConfig.Count",
        "unknown key",
    ),
    ("missing request key", "Steps/2/Arguments/RoleArn", ..., "Steps[2].Arguments", "missing key 'RoleArn'"),
    (
        "missing key in a branch",
        "Steps/5/Arguments/IfSteps/0/Arguments/InferenceSpecification/Containers",
        ...,
        "Steps[5].Arguments.IfSteps[0].Arguments.InferenceSpecification",
        "missing key 'Containers'",
    ),
    (
        "bad enum",
        "Steps/0/Arguments/ProcessingInputs/0/S3Input/S3DataType",
        "Prefix",
        "Steps[0].Arguments.ProcessingInputs[0].S3Input.S3DataType",
        "not one of ManifestFile, S3Prefix",
    ),
    ("bad pattern", "Steps/0/Arguments/RoleArn", "me", "Steps[0].Arguments.RoleArn", "does not match the pattern"),
    (
        "bad pattern with Java's classes",
        "Steps/0/Arguments/Tags/0/Value",
        "a{b}",
        "Steps[0].Arguments.Tags[0].Value",
        "does not match the pattern",
    ),
    (
        "wrong type",
        "Steps/2/Arguments/ResourceConfig/VolumeSizeInGB",
        "30",
        "Steps[2].Arguments.ResourceConfig.VolumeSizeInGB",
        "is not of type int",
    ),
    (
        "true as a number",
        "Steps/2/Arguments/ResourceConfig/VolumeSizeInGB",
        True,
        "Steps[2].Arguments.ResourceConfig.VolumeSizeInGB",
        "is not a number",
    ),
    (
        "number as hyperparameter",
        "Steps/2/Arguments/HyperParameters/dropout",
        0.1,
        "Steps[2].Arguments.HyperParameters.dropout",
        "is not of type str",
    ),
    (
        "below the minimum",
        "Steps/2/Arguments/StoppingCondition/MaxRuntimeInSeconds",
        0,
        "Steps[2].Arguments.StoppingCondition.MaxRuntimeInSeconds",
        "below 1",
    ),
    (
        "above the maximum",
        "Steps/1/Arguments/TrainingJobDefinition/RetryStrategy/MaximumRetryAttempts",
        31,
        "Steps[1].Arguments.TrainingJobDefinition.RetryStrategy.MaximumRetryAttempts",
        "31 is above 30",
    ),
    (
        "long argument",
        "Steps/0/Arguments/AppSpecification/ContainerArguments/1",
        "9" * 257,
        "Steps[0].Arguments.AppSpecification.ContainerArguments[1]",
        "257 is above 256",
    ),
    (
        "too many arguments",
        "Steps/0/Arguments/AppSpecification/ContainerArguments",
        ["x"] * 101,
        "Steps[0].Arguments.AppSpecification.ContainerArguments",
        "101 is above 100",
    ),
    (
        "number parameter as text",
        "Steps/2/Arguments/HyperParameters/epochs",
        {"Get": "Parameters.Epochs"},
        "Steps[2].Arguments.HyperParameters.epochs",
        "make it a String with Std:Join",
    ),
    (
        "text parameter as number",
        "Steps/2/Arguments/ResourceConfig/InstanceCount",
        {"Get": "Parameters.DataUri"},
        "Steps[2].Arguments.ResourceConfig.InstanceCount",
        "where Integer belongs",
    ),
    (
        "join as number",
        "Steps/2/Arguments/ResourceConfig/InstanceCount",
        {"Std:Join": {"On": "", "Values": ["1"]}},
        "Steps[2].Arguments.ResourceConfig.InstanceCount",
        "Std:Join gives a String",
    ),
    (
        "default that the API refuses",
        "Parameters/13",
        {"Name": "ApprovalStatus", "Type": "String", "DefaultValue": "?"},
        "Steps[5].Arguments.IfSteps[0].Arguments.ModelApprovalStatus",
        "default of parameter ApprovalStatus",
    ),
]


@pytest.mark.parametrize(("sown", "value", "path", "message"), [seed[1:] for seed in SEEDS], ids=[s[0] for s in SEEDS])
def test_what_the_api_would_refuse_is_found_where_it_is(
    seeded: Callable[[str, Any], list[Fault]], sown: str, value: Any, path: str, message: str
) -> None:
    found = seeded(sown, value)
    assert [fault for fault in found if fault.path == path and message in fault.message], "\n".join(map(str, found))
