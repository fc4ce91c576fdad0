from collections.abc import Callable
from typing import Any

import pytest

from pipeline.validate import Fault

# What is wrong; where it is sown (`Steps/0` is Split, then Tune, Train, Champion, Evaluate, Gate) and what, `...` to
# take away; the path in the answer and a part of its message.
SEEDS: list[tuple[str, str, Any, str, str]] = [
    ("unknown top-level key", "Nodes", [], "Nodes", "unknown key"),
    ("missing top-level key", "Version", ..., "", "missing key 'Version'"),
    ("bad version", "Version", "2019-01-01", "Version", "is not '2020-12-01'"),
    ("steps no list", "Steps", {}, "Steps", "is not a list"),
    ("no steps", "Steps", [], "Steps", "there is no step"),
    ("step no object", "Steps/0", "Split", "Steps[0]", "is not an object"),
    ("parameters no list", "Parameters", None, "Parameters", "is not a list"),
    ("unknown parameter key", "Parameters/0/Default", 1, "Parameters[0].Default", "unknown key"),
    ("bad parameter type", "Parameters/0/Type", "Text", "Parameters[0].Type", "not one of String"),
    ("bad parameter name", "Parameters/0/Name", "a b", "Parameters[0].Name", "letters, digits"),
    ("default of another type", "Parameters/9/DefaultValue", "3", "Parameters[9].DefaultValue", "of type Integer"),
    ("boolean as integer", "Parameters/9/DefaultValue", True, "Parameters[9].DefaultValue", "of type Integer"),
    ("default not in enum", "Parameters/13/DefaultValue", "No", "Parameters[13].DefaultValue", "EnumValues"),
    ("empty enum", "Parameters/13/EnumValues", [], "Parameters[13].EnumValues", "list of strings"),
    ("twice the parameter", "Parameters/1/Name", "DataUri", "Parameters", "appears 2 times"),
    ("unknown step type", "Steps/0/Type", "Process", "Steps[0].Type", "not one of Processing"),
    ("step without a name", "Steps/0/Name", ..., "Steps[0]", "missing key 'Name'"),
    ("step without arguments", "Steps/2/Arguments", ..., "Steps[2]", "missing key 'Arguments'"),
    ("arguments no object", "Steps/2/Arguments", [], "Steps[2].Arguments", "is not an object"),
    ("unknown step key", "Steps/2/Retries", 3, "Steps[2].Retries", "unknown key"),
    ("key of another step type", "Steps/5/CacheConfig", {"Enabled": True}, "Steps[5].CacheConfig", "unknown key"),
    ("bad step name", "Steps/0/Name", "Split it", "Steps[0].Name", "letters, digits"),
    (
        "twice the step",
        "Steps/5/Arguments/ElseSteps/0/Name",
        "Split",
        "Steps[5].Arguments.ElseSteps[0].Name",
        "already",
    ),
    ("long description", "Steps/0/Description", "x" * 3073, "Steps[0].Description", "at most 3072"),
    (
        "bad trigger",
        "Steps/2/DependsOn",
        [{"Step": "Split", "Trigger": "Always"}],
        "Steps[2].DependsOn[0].Trigger",
        "not one of Completed",
    ),
    (
        "bad condition",
        "Steps/5/Arguments/Conditions/0/Type",
        "Above",
        "Steps[5].Arguments.Conditions[0].Type",
        "not one of",
    ),
    (
        "condition without a side",
        "Steps/5/Arguments/Conditions/0/RightValue",
        ...,
        "Steps[5].Arguments.Conditions[0]",
        "missing key 'RightValue'",
    ),
    (
        "bad inner condition",
        "Steps/5/Arguments/Conditions/0",
        {"Type": "Not", "Condition": {"Type": "Above"}},
        "Steps[5].Arguments.Conditions[0].Condition.Type",
        "not one of",
    ),
    (
        "bad alternative",
        "Steps/5/Arguments/Conditions/0",
        {"Type": "Or", "Conditions": [{"Type": "In"}]},
        "Steps[5].Arguments.Conditions[0].Conditions[0]",
        "missing key 'QueryValue'",
    ),
    (
        "nested input of a function",
        "Steps/3/Arguments/ModelDataUrl",
        {"Uri": "s3://bucket/model.tar.gz"},
        "Steps[3].Arguments.ModelDataUrl",
        "neither a plain value",
    ),
    ("unknown branch", "Steps/5/Arguments/Else", [], "Steps[5].Arguments.Else", "unknown key"),
    (
        "fail without a message",
        "Steps/5/Arguments/ElseSteps/0/Arguments/ErrorMessage",
        ...,
        "Steps[5].Arguments.ElseSteps[0].Arguments",
        "missing key 'ErrorMessage'",
    ),
    (
        "function without an ARN",
        "Steps/5/Arguments/IfSteps/1/FunctionArn",
        ...,
        "Steps[5].Arguments.IfSteps[1]",
        "missing key 'FunctionArn'",
    ),
    (
        "bad output type",
        "Steps/5/Arguments/IfSteps/1/OutputParameters/0/OutputType",
        "Json",
        "Steps[5].Arguments.IfSteps[1].OutputParameters[0].OutputType",
        "not one of String",
    ),
    ("bad duration", "Steps/0/CacheConfig/ExpireAfter", "30 days", "Steps[0].CacheConfig.ExpireAfter", "ISO 8601"),
    ("cache neither on nor off", "Steps/0/CacheConfig/Enabled", "yes", "Steps[0].CacheConfig.Enabled", "true or false"),
    (
        "bad exception",
        "Steps/0/RetryPolicies/0/ExceptionType/0",
        "Any",
        "Steps[0].RetryPolicies[0].ExceptionType[0]",
        "not one of Step.SERVICE_FAULT",
    ),
    (
        "too many attempts",
        "Steps/0/RetryPolicies/0/MaxAttempts",
        21,
        "Steps[0].RetryPolicies[0].MaxAttempts",
        "1 to 20",
    ),
    (
        "two ends of retrying",
        "Steps/0/RetryPolicies/0/ExpireAfterMin",
        5,
        "Steps[0].RetryPolicies[0]",
        "exclude each other",
    ),
    (
        "condition on an object",
        "Steps/5/Arguments/Conditions/0/RightValue",
        {"a": 1},
        "Steps[5].Arguments.Conditions[0].RightValue",
        "neither a plain value",
    ),
    (
        "choice of nothing",
        "Steps/5/Arguments/Conditions/0",
        {"Type": "In", "QueryValue": 1, "Values": [None]},
        "Steps[5].Arguments.Conditions[0].Values[0]",
        "neither a plain value",
    ),
    (
        "experiment no text",
        "PipelineExperimentConfig",
        {"ExperimentName": []},
        "PipelineExperimentConfig.ExperimentName",
        "neither a plain value",
    ),
]


@pytest.mark.parametrize(("sown", "value", "path", "message"), [seed[1:] for seed in SEEDS], ids=[s[0] for s in SEEDS])
def test_a_fault_of_grammar_is_found_where_it_is(
    seeded: Callable[[str, Any], list[Fault]], sown: str, value: Any, path: str, message: str
) -> None:
    found = seeded(sown, value)
    assert [fault for fault in found if fault.path == path and message in fault.message], "\n".join(map(str, found))
