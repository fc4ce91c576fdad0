"""A step's arguments against the request of the API that the service calls with them (botocore's model of it)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from botocore.model import Shape
from botocore.validate import ParamValidator, ValidationErrors

from pipeline.validation.document import Document, Step
from pipeline.validation.expressions import Reference, check_expressions, is_expression, parameter_of
from pipeline.validation.faults import Fault, member, shown
from pipeline.validation.patterns import matches
from pipeline.validation.properties import RESPONSES, follow, service_model

# The operation that a type of step calls, and the member that a step may leave to the service.
OPERATIONS = {
    "Processing": ("CreateProcessingJob", "ProcessingJobName"),
    "Training": ("CreateTrainingJob", "TrainingJobName"),
    "Tuning": ("CreateHyperParameterTuningJob", "HyperParameterTuningJobName"),
    "Transform": ("CreateTransformJob", "TransformJobName"),
    "Model": ("CreateModel", "ModelName"),
    "RegisterModel": ("CreateModelPackage", "ModelPackageName"),
}
_KIND_OF_SHAPE = {
    "string": ("String",),
    "integer": ("Integer",),
    "long": ("Integer",),
    "float": ("Float", "Integer"),
    "double": ("Float", "Integer"),
    "boolean": ("Boolean",),
}
_NO_VALUE = {"structure", "list", "map"}
_NUMBERS = {"String": {"integer", "long", "float", "double"}}


def check_request(step: Step, document: Document) -> Iterator[Fault]:
    """Yield what the step's API would refuse in its arguments."""
    if step.type not in OPERATIONS or not isinstance(step.body.get("Arguments"), dict):
        return
    operation, name = OPERATIONS[step.type]
    shape: Any = service_model().operation_model(operation).input_shape
    request = dict(step.arguments)
    if name in shape.required_members:
        request.setdefault(name, "chosen-by-the-service")
    collected = _Collected(f"{step.path}.Arguments")
    _Validator(document).collect(request, shape, collected)
    yield from collected.faults


class _Collected(ValidationErrors):
    """Reports as faults with their path in the definition."""

    def __init__(self, root: str) -> None:
        super().__init__()
        self._root = root
        self.faults: list[Fault] = []

    def report(self, name: str, reason: str, **facts: Any) -> None:  # noqa: ANN401
        path = self._root + name
        match reason:
            case "missing required field":
                self.faults.append(Fault(path, f"missing key {facts['required_name']!r}"))
            case "unknown field":
                known = ", ".join(facts["valid_names"])
                self.faults.append(Fault(member(path, facts["unknown_param"]), f"unknown key; known here: {known}"))
            case "invalid range" | "invalid length":
                what = "length" if reason == "invalid length" else "value"
                self.faults.append(Fault(path, f"{what} of {shown(facts['param'])} is below {facts['min_allowed']}"))
            case "ours":
                self.faults.append(Fault(path, facts["message"]))
            case "invalid type":
                kinds = ", ".join(re.findall(r"'(\w+)'", " ".join(facts["valid_types"])) or facts["valid_types"])
                self.faults.append(Fault(path, f"{shown(facts['param'])} is not of type {kinds}"))
            case _:
                self.faults.append(Fault(path, reason))


class _Validator(ParamValidator):
    """botocore's validator, which knows expressions and also checks enum, pattern and max."""

    def __init__(self, document: Document) -> None:
        self._document = document

    def collect(self, request: dict[str, Any], shape: Shape, errors: _Collected) -> None:
        self._validate(request, shape, errors, name="")

    def _shape_has_constraints(self, shape: Shape) -> bool:  # noqa: ARG002
        # Else botocore checks the members of a list of strings for their type only.
        return True

    def _validate(self, value: Any, shape: Shape, errors: _Collected, name: str) -> None:  # noqa: ANN401
        if is_expression(value):
            self._validate_expression(value, shape, errors, name)
            return
        if isinstance(value, bool) and shape.type_name in {"integer", "long", "float", "double"}:
            errors.report(name, "ours", message=f"{value} is not a number")
            return
        try:
            super()._validate(value, shape, errors, name)  # type: ignore[misc]  # missing in the stubs
        except (OverflowError, ArithmeticError):  # a timestamp outside the calendar
            errors.report(name, "ours", message=f"{shown(value)} is not a {shape.type_name}")
        for message in _constraints(value, shape):
            errors.report(name, "ours", message=message)

    def _validate_expression(self, value: dict[str, Any], shape: Shape, errors: _Collected, name: str) -> None:
        kinds = _KIND_OF_SHAPE.get(shape.type_name)
        if "Std:Join" in value and kinds != ("String",):
            errors.report(name, "ours", message=f"Std:Join gives a String where {shape.type_name} belongs")
        if kinds is not None and (left := self._left_by_step(value)) in _NO_VALUE | _NUMBERS.get(kinds[0], set()):
            hint = "; make it a String with Std:Join" if left not in _NO_VALUE else ""
            errors.report(name, "ours", message=f"{value['Get']} is of type {left} where {kinds[0]} belongs{hint}")
        declared = self._document.parameters.get(parameter_of(value) or "", {})
        kind = declared.get("Type")
        if kind is None:
            return
        if kinds is not None and kind not in kinds:
            hint = "; make it a String with Std:Join" if kinds == ("String",) else ""
            errors.report(name, "ours", message=f"a parameter of type {shown(kind)} where {kinds[0]} belongs{hint}")
            return
        for message in _constraints(declared.get("DefaultValue"), shape):
            errors.report(name, "ours", message=f"default of parameter {parameter_of(value)}: {message}")

    def _left_by_step(self, value: dict[str, Any]) -> str | None:
        """Return the type of what a Get reads from a step, where botocore's models tell it."""
        for found in check_expressions(value, ""):
            if isinstance(found, Reference) and "Get" in value and found.root == "Steps":
                step = self._document.by_name.get(str(found.parts[0]))
                if step is None or step.type not in RESPONSES or found.parts[1:2] == ("PropertyFiles",):
                    return None
                shape = follow(step, found.parts[1:])
                return None if isinstance(shape, str) else str(shape.type_name)
        return None


def _constraints(value: Any, shape: Shape) -> Iterator[str]:  # noqa: ANN401
    limit = shape.metadata.get("max")
    if isinstance(value, str | list | dict):
        if limit is not None and len(value) > limit:
            yield f"length {len(value)} is above {limit}"
            return
    elif isinstance(value, int | float) and not isinstance(value, bool) and limit is not None and value > limit:
        yield f"{shown(value)} is above {limit}"
    if not isinstance(value, str) or shape.type_name != "string":
        return
    choices = shape.metadata.get("enum")
    if choices and value not in choices:
        yield f"{shown(value)} is not one of {_some(choices)}"
    pattern = shape.metadata.get("pattern")
    if pattern and not matches(pattern, value):
        yield f"{shown(value)} does not match the pattern {pattern}"


def _some(choices: list[str]) -> str:
    few = 12
    return ", ".join(choices[:few]) + (f" and {len(choices) - few} more" if len(choices) > few else "")
