from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.local.aws.answers import ServiceError
from pipeline.local.aws.definitions import parameter_values

DECLARED: list[dict[str, Any]] = [
    {"Name": "Epochs", "Type": "Integer", "DefaultValue": 3},
    {"Name": "Minimum", "Type": "Float", "DefaultValue": 0.5},
    {"Name": "Spot", "Type": "Boolean", "DefaultValue": True},
    {"Name": "Approval", "Type": "String", "DefaultValue": "Approved", "EnumValues": ["Approved", "Rejected"]},
    {"Name": "DataUri", "Type": "String"},
]
TEXT = json.dumps({"Parameters": DECLARED})


def _values(**given: str) -> dict[str, str]:
    return parameter_values(TEXT, [{"Name": name, "Value": value} for name, value in given.items()])


def test_defaults_fill_in_as_text() -> None:
    values = {"Epochs": "3", "Minimum": "0.5", "Spot": "true", "Approval": "Approved", "DataUri": "s3://b"}
    assert _values(DataUri="s3://b") == values
    assert _values(DataUri="", Epochs="-7", Minimum="1e-3", Spot="False") == {
        **values,
        "DataUri": "",
        "Epochs": "-7",
        "Minimum": "1e-3",
        "Spot": "False",
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Epoch": "3"}, r"Unknown pipeline parameter: \[Epoch\]; the pipeline has Approval, DataUri"),
        ({"Epochs": "3.5"}, "must be of type Integer; given: 3.5"),
        ({"Minimum": "half"}, "must be of type Float"),
        ({"Minimum": "nan"}, "must be of type Float"),
        ({"Spot": "1"}, "must be of type Boolean"),
        ({"Approval": "approved"}, "must be one of Approved, Rejected"),
        ({"Epochs": "3"}, r"\[DataUri\] has no default value"),
    ],
)
def test_what_does_not_fit_is_refused(given: dict[str, str], message: str) -> None:
    with pytest.raises(ServiceError, match=message):
        _values(**given)


def test_a_parameter_given_twice_is_refused() -> None:
    twice = [{"Name": "Epochs", "Value": "1"}, {"Name": "Epochs", "Value": "2"}]
    with pytest.raises(ServiceError, match="given twice"):
        parameter_values(TEXT, twice)
