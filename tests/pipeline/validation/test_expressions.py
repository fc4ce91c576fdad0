from collections.abc import Callable
from typing import Any

import pytest

from pipeline.validate import Fault

# What is wrong; where it is sown (`Steps/0` is Split, then Tune, Train, Champion, Evaluate, Gate) and what, `...` to
# take away; the path in the answer and a part of its message.
SEEDS: list[tuple[str, str, Any, str, str]] = [
    (
        "unknown root",
        "Steps/2/Arguments/OutputDataConfig/S3OutputPath",
        {"Get": "Param.X"},
        "Steps[2].Arguments.OutputDataConfig.S3OutputPath.Get",
        "does not begin with",
    ),
    (
        "no path",
        "Steps/2/Arguments/OutputDataConfig/S3OutputPath",
        {"Get": "Parameters"},
        "Steps[2].Arguments.OutputDataConfig.S3OutputPath.Get",
        "is not a path",
    ),
    (
        "get of no text",
        "Steps/2/Arguments/OutputDataConfig/S3OutputPath",
        {"Get": 3},
        "Steps[2].Arguments.OutputDataConfig.S3OutputPath.Get",
        "is not a string",
    ),
    (
        "malformed join",
        "Steps/2/Arguments/OutputDataConfig/S3OutputPath",
        {"Std:Join": {"On": 1}},
        "Steps[2].Arguments.OutputDataConfig.S3OutputPath['Std:Join'].On",
        "is not a string",
    ),
    (
        "unknown function",
        "Steps/2/Arguments/OutputDataConfig/S3OutputPath",
        {"Std:Concat": []},
        "Steps[2].Arguments.OutputDataConfig.S3OutputPath['Std:Concat']",
        "not an expression",
    ),
    (
        "json from two places",
        "Steps/5/Arguments/Conditions/0/LeftValue/Std:JsonGet/S3Uri",
        "s3://b/k",
        "Steps[5].Arguments.Conditions[0].LeftValue['Std:JsonGet']",
        "either PropertyFile or S3Uri",
    ),
    (
        "neither value nor expression",
        "Steps/0/Arguments/ProcessingInputs/0/S3Input/S3Uri/Std:Join/Values/1",
        {"Get": "x", "Or": 1},
        "Steps[0].Arguments.ProcessingInputs[0].S3Input.S3Uri['Std:Join'].Values[1]",
        "neither a plain value",
    ),
    (
        "neither property file nor expression",
        "Steps/5/Arguments/Conditions/0/LeftValue/Std:JsonGet/PropertyFile",
        [],
        "Steps[5].Arguments.Conditions[0].LeftValue['Std:JsonGet'].PropertyFile",
        "neither a plain value",
    ),
]


@pytest.mark.parametrize(("sown", "value", "path", "message"), [seed[1:] for seed in SEEDS], ids=[s[0] for s in SEEDS])
def test_a_malformed_expression_is_found_where_it_is(
    seeded: Callable[[str, Any], list[Fault]], sown: str, value: Any, path: str, message: str
) -> None:
    found = seeded(sown, value)
    assert [fault for fault in found if fault.path == path and message in fault.message], "\n".join(map(str, found))
