"""What the service reads in a pipeline definition: whether it is one, and its parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.local.aws.account import Account
from pipeline.local.aws.answers import Request, invalid
from pipeline.validation.patterns import matches

_SHOWN = 5  # faults in a message
_PATTERNS = {"Integer": r"[-+]?\d+", "Float": r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?", "Boolean": "(?i:true|false)"}


def definition_text(account: Account, request: Request) -> str | None:
    """Return the definition in a request, or in the S3 object that it names. Raises ValidationException."""
    text, location = request.get("PipelineDefinition"), request.get("PipelineDefinitionS3Location")
    if text is not None and location is not None:
        raise invalid("Give PipelineDefinition or PipelineDefinitionS3Location, not both")
    if location is not None:
        text = _read(account, location)
    if text is not None:
        _check(text)
    return text


def _read(account: Account, location: Mapping[str, str]) -> str:
    from pipeline.local.aws.storage import object_path

    path = object_path(account, location["Bucket"], location["ObjectKey"])
    if not path.is_file():
        raise invalid(f"Cannot read the pipeline definition at s3://{location['Bucket']}/{location['ObjectKey']}")
    return path.read_text()


def _check(text: str) -> None:
    from pipeline.validate import validate_definition

    faults = validate_definition(text)
    if faults:
        listed = "; ".join(str(fault) for fault in faults[:_SHOWN])
        more = f" (and {len(faults) - _SHOWN} more)" if len(faults) > _SHOWN else ""
        raise invalid(f"Unable to parse pipeline definition. {listed}{more}")


def parameter_values(definition: str, given: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Return every parameter's value for one execution, as text: the given one, else the default.

    Raises ValidationException for an unknown or repeated name, a wrong type, a value outside the enumeration, and a
    parameter without any value.
    """
    declared = {parameter["Name"]: parameter for parameter in json.loads(definition).get("Parameters", [])}
    values = {}
    for parameter in given:
        name, value = parameter["Name"], parameter["Value"]
        if name not in declared:
            known = ", ".join(sorted(declared)) or "none"
            raise invalid(f"Unknown pipeline parameter: [{name}]; the pipeline has {known}")
        if name in values:
            raise invalid(f"Pipeline parameter [{name}] is given twice")
        _check_value(declared[name], value)
        values[name] = value
    return {name: values[name] if name in values else _default(parameter) for name, parameter in declared.items()}


def _default(parameter: Mapping[str, Any]) -> str:
    default = parameter.get("DefaultValue")
    if default is None:
        raise invalid(f"Pipeline parameter [{parameter['Name']}] has no default value: give it one")
    return default if isinstance(default, str) else json.dumps(default)


def _check_value(parameter: Mapping[str, Any], value: str) -> None:
    name, kind = parameter["Name"], parameter.get("Type", "String")
    if kind in _PATTERNS and not matches(_PATTERNS[kind], value):
        raise invalid(f"Pipeline parameter [{name}] must be of type {kind}; given: {value}")
    allowed = parameter.get("EnumValues")
    if allowed and value not in [item if isinstance(item, str) else json.dumps(item) for item in allowed]:
        raise invalid(f"Pipeline parameter [{name}] must be one of {', '.join(map(str, allowed))}; given: {value}")
