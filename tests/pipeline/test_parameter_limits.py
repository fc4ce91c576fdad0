from __future__ import annotations

import json

import pytest

from pipeline.compile import compile_definition
from pipeline.errors import UserError
from pipeline.parameter_limits import SETTINGS, check_limits
from pipeline.settings import load_settings

UNLIMITED = {"DataUri", "CommitId"}


def test_every_parameter_has_an_enumeration_or_the_limits_of_the_setting_that_is_its_default() -> None:
    settings = load_settings("demo")
    sections = {type(section): section for section in vars(settings).values()}
    declared = {one["Name"]: one for one in json.loads(compile_definition(settings))["Parameters"]}
    assert {name for name, one in declared.items() if "EnumValues" not in one} == {*SETTINGS, *UNLIMITED}
    for name, (section, setting) in SETTINGS.items():
        assert declared[name]["DefaultValue"] == getattr(sections[section], setting), name


@pytest.mark.parametrize(
    ("name", "value"),
    [("Epochs", "0"), ("TrainingInstanceCount", "-1"), ("MinMacroF1", "7"), ("TrainingInstanceType", "foo")],
)
def test_what_is_outside_is_refused_and_named(name: str, value: str) -> None:
    with pytest.raises(UserError, match=f"^parameter {name} is '{value}': [a-z]"):
        check_limits({"Epochs": "3", name: value})


def test_what_is_inside_passes() -> None:
    check_limits({name: "1" for name in SETTINGS if not name.endswith(("Type", "Size"))})
    check_limits({"TuningInstanceType": "ml.c5.xlarge", "BatchSize": "16", "ImageSize": "64", "Another": "0"})
