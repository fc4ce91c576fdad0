import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.validate import MAX_CHARACTERS, Fault, validate_definition

Definition = dict[str, Any]
# Not ours, and in the words of the SDK's second generation.
FOREIGN = (Path(__file__).parents[1] / "fixtures" / "definitions" / "foreign.json").read_text()


def faults(definition: Any) -> list[Fault]:
    return validate_definition(json.dumps(definition))


def test_a_fault_is_one_line_with_its_path() -> None:
    assert str(Fault("Steps[2].Arguments.RoleArn", "is missing")) == "Steps[2].Arguments.RoleArn: is missing"
    assert str(Fault("", "not JSON")) == "not JSON"
    assert str(Fault("Steps[0]", "no step a\nb\x1b[2J")) == r"Steps[0]: no step a\nb\x1b[2J"
    assert len(str(Fault("", "x" * 10_000))) < 600


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "not a JSON object"),
        ('{"Version": NaN}', "NaN is no JSON number"),
        ('{"Steps": [], "Steps": []}', "key 'Steps' appears twice"),
        ("9" * 5000, "not JSON"),
        ("[" * 100_000, "nest too deep"),
        ('{"Metadata":' * 80 + "1" + "}" * 80, "nest deeper than 64"),
        (" " * MAX_CHARACTERS + "{}", "at most 1048576"),
    ],
    ids=range(9),
)
def test_what_is_no_definition_at_all_is_said_so(text: str, message: str) -> None:
    assert any(message in fault.message for fault in validate_definition(text))


def test_a_pipeline_has_limits() -> None:
    steps = [{"Name": f"S{n}", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}} for n in range(51)]
    parameters = [{"Name": f"P{n}", "Type": "String"} for n in range(201)]
    found = faults({"Version": "2020-12-01", "Parameters": parameters, "Steps": steps})
    assert [fault.path for fault in found] == ["Parameters", "Steps"]


def test_a_foreign_definition_has_no_fault() -> None:
    assert validate_definition(FOREIGN) == []


def test_steps_in_a_loop_are_checked_too(changed: Callable[..., Definition]) -> None:
    definition = changed(json.loads(FOREIGN), "Steps/4/Arguments/ForEachBody/0/Arguments", {})
    assert [str(fault) for fault in faults(definition)] == [
        "Steps[4].Arguments.ForEachBody[0].Arguments: missing key 'ErrorMessage'"
    ]


def test_an_argument_may_be_no_longer_than_256(changed: Callable[..., Definition]) -> None:
    arguments = "Steps/0/Arguments/AppSpecification/ContainerArguments"
    assert faults(changed(json.loads(FOREIGN), arguments, ["x" * 256])) == []
    assert len(faults(changed(json.loads(FOREIGN), arguments, ["x" * 257]))) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
# Values that look like parts of a definition, which arbitrary JSON seldom does.
PIECES = st.sampled_from(
    [
        {"Get": "Steps.Split"},
        {"Get": "Steps.Tune.TrainingJobSummaries[0].TunedHyperParameters['x']"},
        {"Get": None},
        {"Get": "Parameters.DataUri"},
        {"Get": "Steps..["},
        {"Std:Join": []},
        {"Std:Join": {}},
        {"Std:JsonGet": {"Path": 1}},
        {"Step": None},
        *("Split", "Condition", "ForEach", "", 1e400, -1, 10**400),
        *([], {}, [[]], [{}], [None]),
    ]
)


@given(JSON | st.text())
def test_no_text_and_no_json_makes_it_raise(value: Any) -> None:
    assert validate_definition(value if isinstance(value, str) else json.dumps(value)) != []


def places(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give every path in a definition, and what lies there."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in items:
        here = f"{path}/{key}".lstrip("/")
        yield here, child
        yield from places(child, here)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_no_mutation_makes_it_raise(
    compiled: Callable[..., Definition], changed: Callable[..., Definition], data: st.DataObject
) -> None:
    definition = compiled()
    for _ in range(data.draw(st.integers(1, 3))):
        place, _there = data.draw(st.sampled_from([*places(definition)]))
        changed(definition, place, data.draw(st.just(...) | PIECES | JSON))
    for fault in faults(definition):
        assert "\n" not in str(fault)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(data=st.data())
def test_an_unknown_key_anywhere_is_found(compiled: Callable[..., Definition], data: st.DataObject) -> None:
    definition = compiled()
    objects = [there for place, there in places(definition) if isinstance(there, dict) and place != "Metadata"]
    data.draw(st.sampled_from(objects))["Surplus"] = {"a": ["b"]}
    assert faults(definition) != []
