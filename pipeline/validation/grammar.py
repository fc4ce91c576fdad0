"""The definition's own grammar, version 2020-12-01, as AWS documents it and its SDKs write it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from pipeline.validation.document import BRANCHES, Document, Step, objects
from pipeline.validation.expressions import check_scalar, check_scalars, is_expression
from pipeline.validation.faults import Fault, keys, member, shown, typed

VERSION = "2020-12-01"
MAX_STEPS = 50
MAX_PARAMETERS = 200
MAX_MESSAGE = 3072
_NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
_DURATION = re.compile(r"(?i)P?(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?")
_PARAMETER_TYPES: dict[str, type | tuple[type, ...]] = {
    "String": str,
    "Integer": int,
    "Float": (int, float),
    "Boolean": bool,
}
_OUTPUT_TYPES = ("String", "Integer", "Float", "Boolean")
_EXCEPTIONS = (
    "Step.SERVICE_FAULT",
    "Step.THROTTLING",
    "SageMaker.JOB_INTERNAL_ERROR",
    "SageMaker.CAPACITY_ERROR",
    "SageMaker.RESOURCE_LIMIT",
)
_TRIGGERS = ("Completed", "Failed", "Stopped", "Any")
_COMMON = ("DependsOn", "DisplayName", "Description")
_JOB = ("CacheConfig", "RetryPolicies")
# The members of each type of step beside Name, Type and Arguments.
STEP_KEYS: dict[str, tuple[str, ...]] = {
    "Processing": (*_COMMON, *_JOB, "PropertyFiles"),
    "Training": (*_COMMON, *_JOB),
    "Tuning": (*_COMMON, *_JOB),
    "Transform": (*_COMMON, *_JOB),
    "AutoML": (*_COMMON, *_JOB),
    "Model": (*_COMMON, "RetryPolicies"),
    "RegisterModel": (*_COMMON, "RetryPolicies"),
    "Condition": _COMMON,
    "Fail": _COMMON,
    "Lambda": (*_COMMON, "CacheConfig", "FunctionArn", "OutputParameters"),
    "Callback": (*_COMMON, "CacheConfig", "SqsQueueUrl", "OutputParameters"),
}
_REQUIRED = {"Lambda": ("FunctionArn",), "Callback": ("SqsQueueUrl",)}
# Known to the service; their arguments are not checked here.
OTHER_TYPES = (
    "QualityCheck", "ClarifyCheck", "EMR", "EMRServerless", "EndpointConfig", "Endpoint", "InferenceComponent",
    "Lineage", "Job", "NotebookJob", "Cleanup", "ForEach",
)  # fmt: skip
_COMPARISONS = ("Equals", "NotEquals", "GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo")
_CONDITIONS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_COMPARISONS, ("LeftValue", "RightValue")),
    "In": ("QueryValue", "Values"),
    "Not": ("Condition",),
    "Or": ("Conditions",),
}


def check_grammar(definition: dict[str, Any], document: Document) -> Iterator[Fault]:
    """Yield what is wrong with the definition's structure, expressions and requests aside."""
    yield from keys(
        definition, "", ("Version", "Steps"), ("Metadata", "Parameters", "PipelineExperimentConfig", "MlflowConfig")
    )
    if "Version" in definition and definition["Version"] != VERSION:
        yield Fault("Version", f"{shown(definition['Version'])} is not {VERSION!r}")
    yield from typed(definition.get("Metadata", {}), dict, "Metadata", "an object")
    experiment = definition.get("PipelineExperimentConfig") or {}
    yield from typed(experiment, dict, "PipelineExperimentConfig", "an object")
    for key, value in experiment.items() if isinstance(experiment, dict) else ():
        yield from check_scalar(value, member("PipelineExperimentConfig", key))
    yield from _each(definition.get("Parameters", []), "Parameters", _parameter)
    yield from _duplicates(definition.get("Parameters"), "Parameters", "Name")
    yield from _each(definition.get("Steps", []), "Steps", lambda *_: iter(()))
    if definition.get("Steps") == []:
        yield Fault("Steps", "there is no step")
    if len(document.parameters) > MAX_PARAMETERS:
        yield Fault("Parameters", f"{len(document.parameters)} parameters; a pipeline has at most {MAX_PARAMETERS}")
    if len(document.steps) > MAX_STEPS:
        yield Fault("Steps", f"{len(document.steps)} steps with those in branches; a pipeline has at most {MAX_STEPS}")
    first: dict[str, str] = {}
    for step in document.steps:
        if step.name and first.setdefault(step.name, step.path) != step.path:
            yield Fault(member(step.path, "Name"), f"step {shown(step.name)} is at {first[step.name]} already")
        yield from _step(step)


def _each(value: Any, path: str, check: Callable[[dict[str, Any], str], Iterator[Fault]]) -> Iterator[Fault]:  # noqa: ANN401
    if not isinstance(value, list):
        yield Fault(path, f"{shown(value)} is not a list")
        return
    for index, item in enumerate(value):
        if isinstance(item, dict):
            yield from check(item, f"{path}[{index}]")
        else:
            yield Fault(f"{path}[{index}]", f"{shown(item)} is not an object")


def _duplicates(value: Any, path: str, key: str) -> Iterator[Fault]:  # noqa: ANN401
    names = Counter(item[key] for item in objects(value) if isinstance(item.get(key), str))
    for name, count in names.items():
        if count > 1:
            yield Fault(path, f"{key} {shown(name)} appears {count} times")


def _one_of(value: Any, choices: tuple[str, ...], path: str) -> Iterator[Fault]:  # noqa: ANN401
    if value not in choices:
        yield Fault(path, f"{shown(value)} is not one of {', '.join(choices)}")


def _name(body: dict[str, Any], path: str) -> Iterator[Fault]:
    if "Name" in body and not (isinstance(body["Name"], str) and _NAME.fullmatch(body["Name"])):
        yield Fault(member(path, "Name"), f"{shown(body['Name'])} is not 1-64 letters, digits, '-' or '_'")


def _parameter(body: dict[str, Any], path: str) -> Iterator[Fault]:
    yield from keys(body, path, ("Name", "Type"), ("DefaultValue", "EnumValues"))
    yield from _name(body, path)
    if "Type" in body:
        yield from _one_of(body["Type"], tuple(_PARAMETER_TYPES), member(path, "Type"))
    kind = body.get("Type")
    if isinstance(kind, str) and kind in _PARAMETER_TYPES and "DefaultValue" in body:
        yield from typed(body["DefaultValue"], _PARAMETER_TYPES[kind], member(path, "DefaultValue"), f"of type {kind}")
    if "EnumValues" in body:
        values = body["EnumValues"]
        if not isinstance(values, list) or not values or not all(isinstance(value, str) for value in values):
            yield Fault(member(path, "EnumValues"), f"{shown(values)} is not a list of strings")
        elif "DefaultValue" in body and body["DefaultValue"] not in values:
            yield Fault(member(path, "DefaultValue"), f"{shown(body['DefaultValue'])} is not one of the EnumValues")


def _step(step: Step) -> Iterator[Fault]:
    body, path = step.body, step.path
    yield from _name(body, path)
    if step.type not in STEP_KEYS:
        yield from keys({key: body[key] for key in ("Name", "Type") if key in body}, path, ("Name", "Type"))
        if "Type" in body:
            yield from _one_of(body["Type"], (*STEP_KEYS, *OTHER_TYPES), member(path, "Type"))
        return
    required = ("Name", "Type", "Arguments", *_REQUIRED.get(step.type, ()))
    yield from keys(body, path, required, STEP_KEYS[step.type])
    for key, limit in (("DisplayName", 256), ("Description", MAX_MESSAGE)):
        yield from _text(body.get(key, ""), limit, member(path, key))
    if "Arguments" in body:
        yield from typed(body["Arguments"], dict, member(path, "Arguments"), "an object")
    for key, check in _MEMBERS.items():
        if key in body and key in STEP_KEYS[step.type]:
            yield from check(body[key], member(path, key))
    if isinstance(body.get("Arguments"), dict) and step.type in _ARGUMENTS:
        yield from _ARGUMENTS[step.type](body["Arguments"], f"{path}.Arguments")


def _text(value: Any, limit: int, path: str) -> Iterator[Fault]:  # noqa: ANN401
    yield from typed(value, str, path, "a string")
    if isinstance(value, str) and len(value) > limit:
        yield Fault(path, f"{len(value)} characters; at most {limit}")


def _depends_on(value: Any, path: str) -> Iterator[Fault]:  # noqa: ANN401
    yield from typed(value, list, path, "a list")
    for index, item in enumerate(value) if isinstance(value, list) else ():
        where = f"{path}[{index}]"
        if isinstance(item, dict):
            yield from keys(item, where, ("Step", "Trigger"))
            yield from typed(item.get("Step", ""), str, member(where, "Step"), "a step's name")
            yield from _one_of(item.get("Trigger", "Any"), _TRIGGERS, member(where, "Trigger"))
        else:
            yield from typed(item, str, where, "a step's name")


def _cache_config(value: Any, path: str) -> Iterator[Fault]:  # noqa: ANN401
    if not isinstance(value, dict):
        yield Fault(path, f"{shown(value)} is not an object")
        return
    yield from keys(value, path, ("Enabled",), ("ExpireAfter",))
    yield from typed(value.get("Enabled", True), bool, member(path, "Enabled"), "true or false")
    after = value.get("ExpireAfter", "P1D")
    if not isinstance(after, str) or not _DURATION.fullmatch(after):
        yield Fault(member(path, "ExpireAfter"), f"{shown(after)} is not an ISO 8601 duration such as P30D")


def _retry_policy(policy: dict[str, Any], path: str) -> Iterator[Fault]:
    limits = {
        "IntervalSeconds": (0, 43200),
        "BackoffRate": (0, None),
        "MaxAttempts": (1, 20),
        "ExpireAfterMin": (0, 14400),
    }
    yield from keys(policy, path, ("ExceptionType",), tuple(limits))
    exceptions = policy.get("ExceptionType", list(_EXCEPTIONS))
    if not isinstance(exceptions, list) or not exceptions:
        yield Fault(member(path, "ExceptionType"), f"{shown(exceptions)} is not a list of exceptions")
    else:
        for index, name in enumerate(exceptions):
            yield from _one_of(name, _EXCEPTIONS, f"{path}.ExceptionType[{index}]")
    for key, (low, high) in limits.items():
        if key in policy:
            kind = (int, float) if key == "BackoffRate" else int
            wrong = list(typed(policy[key], kind, member(path, key), "a number"))
            yield from wrong
            if not wrong and (policy[key] < low or (high is not None and policy[key] > high)):
                yield Fault(member(path, key), f"{policy[key]} is not in {low} to {high or 'any'}")
    if "MaxAttempts" in policy and "ExpireAfterMin" in policy:
        yield Fault(path, "MaxAttempts and ExpireAfterMin exclude each other")


def _property_file(body: dict[str, Any], path: str) -> Iterator[Fault]:
    fields = ("PropertyFileName", "OutputName", "FilePath")
    yield from keys(body, path, fields)
    for key in fields:
        yield from typed(body.get(key, ""), str, member(path, key), "a string")


def _property_files(value: Any, path: str) -> Iterator[Fault]:  # noqa: ANN401
    yield from _each(value, path, _property_file)
    yield from _duplicates(value, path, "PropertyFileName")


def _output_parameter(body: dict[str, Any], path: str) -> Iterator[Fault]:
    yield from keys(body, path, ("OutputName", "OutputType"))
    yield from _text(body.get("OutputName", ""), 256, member(path, "OutputName"))
    yield from _one_of(body.get("OutputType", "String"), _OUTPUT_TYPES, member(path, "OutputType"))


def _output_parameters(value: Any, path: str) -> Iterator[Fault]:  # noqa: ANN401
    yield from _each(value, path, _output_parameter)
    yield from _duplicates(value, path, "OutputName")
    if isinstance(value, list) and len(value) > MAX_STEPS:
        yield Fault(path, f"{len(value)} outputs; a step has at most {MAX_STEPS}")


_MEMBERS: dict[str, Callable[[Any, str], Iterator[Fault]]] = {
    "DependsOn": _depends_on,
    "CacheConfig": _cache_config,
    "RetryPolicies": lambda value, path: _each(value, path, _retry_policy),
    "PropertyFiles": _property_files,
    "OutputParameters": _output_parameters,
}


def _branching(arguments: dict[str, Any], path: str) -> Iterator[Fault]:
    yield from keys(arguments, path, ("Conditions",), BRANCHES[:2])
    yield from _each(arguments.get("Conditions", []), f"{path}.Conditions", _condition)
    for branch in BRANCHES[:2]:
        yield from _each(arguments.get(branch, []), f"{path}.{branch}", lambda *_: iter(()))


def _fail(arguments: dict[str, Any], path: str) -> Iterator[Fault]:
    yield from keys(arguments, path, ("ErrorMessage",))
    message = arguments.get("ErrorMessage", "")
    if not is_expression(message):
        yield from _text(message, MAX_MESSAGE, f"{path}.ErrorMessage")


def _inputs(arguments: dict[str, Any], path: str) -> Iterator[Fault]:
    # "Nested objects are not supported": a Lambda step's inputs in the developer guide.
    for key, value in arguments.items():
        yield from check_scalar(value, member(path, key))


_ARGUMENTS: dict[str, Callable[[dict[str, Any], str], Iterator[Fault]]] = {
    "Condition": _branching,
    "Fail": _fail,
    "Lambda": _inputs,
}


def _condition(condition: dict[str, Any], path: str) -> Iterator[Fault]:
    kind = condition.get("Type")
    if not isinstance(kind, str) or kind not in _CONDITIONS:
        yield from _one_of(kind, tuple(_CONDITIONS), member(path, "Type"))
        return
    yield from keys(condition, path, ("Type", *_CONDITIONS[kind]))
    if "Values" in condition and kind == "In":
        yield from typed(condition["Values"], list, member(path, "Values"), "a list")
        yield from check_scalars(condition["Values"], member(path, "Values"))
    for key in {"LeftValue", "RightValue", "QueryValue"} & condition.keys():
        yield from check_scalar(condition[key], member(path, key))
    if kind == "Not":
        yield from _each([condition.get("Condition", {"Type": "Equals"})], f"{path}.Condition", _inner)
    if kind == "Or":
        yield from _each(condition.get("Conditions", []), f"{path}.Conditions", _condition)


def _inner(condition: dict[str, Any], path: str) -> Iterator[Fault]:
    yield from _condition(condition, path.removesuffix("[0]"))
