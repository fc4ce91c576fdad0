from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.local.expressions import ExpressionError, Scope, gets, parse_path, to_text, typed_parameters, walk

NAME = st.text(st.characters(blacklist_characters=".[]'\"", blacklist_categories=["Cs"]), min_size=1, max_size=12)
KEY = st.text(st.characters(blacklist_characters="'", blacklist_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PROPERTIES = {
    "Split": {
        "ProcessingOutputConfig": {
            "Outputs": [
                {"OutputName": "train", "S3Output": {"S3Uri": "s3://b/train"}},
                {"OutputName": "test", "S3Output": {"S3Uri": "s3://b/test"}},
            ]
        }
    }
}


def scope(**parameters: Any) -> Scope:
    return Scope(
        parameters=parameters,
        execution={"PipelineExecutionId": "abc"},
        properties=lambda step: PROPERTIES[step],
        property_file=lambda step, name: {"step": step, "name": name, "metrics": {"f1": {"value": 0.5}}},
        json_object=lambda uri: {"at": uri, "list": [1, 2]},
    )


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("Parameters.X", ("Parameters", "X")),
        ("Steps.N-1_a.path['key'][0].f", ("Steps", "N-1_a", "path", "key", 0, "f")),
        ("a[\"b.c\"]['d[0]']", ("a", "b.c", "d[0]")),
        ("[3]['']", (3, "")),
    ],
)
def test_a_path_splits_into_names_and_indices(text: str, path: tuple[str | int, ...]) -> None:
    assert parse_path(text) == path


@pytest.mark.parametrize("text", ["", "a..b", "a.", "a[x]", "a[-1]", "a['b]", "a]b", "['a'", ".a"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse_path(text)


@given(
    NAME,
    st.lists(
        NAME.map(lambda n: (f".{n}", n))
        | KEY.map(lambda k: (f"['{k}']", k))
        | st.integers(0, 99).map(lambda i: (f"[{i}]", i))
    ),
)
def test_any_path_reads_back(first: str, rest: list[tuple[str, str | int]]) -> None:
    text = first + "".join(written for written, _ in rest)
    assert parse_path(text) == (first, *(part for _, part in rest))


@given(st.text(max_size=30))
def test_any_text_is_a_path_or_an_error(text: str) -> None:
    try:
        path = parse_path(text)
    except ExpressionError:
        return
    assert path


def test_a_name_on_a_list_picks_the_element_so_named() -> None:
    assert walk([{"OutputName": "a", "v": 1}, {"OutputName": "b", "v": 2}], ("b", "v"), "x") == 2


@pytest.mark.parametrize("path", [("gone",), (2,), ("list", 5), ("list", "gone"), ("text", "x")])
def test_a_path_that_leads_nowhere_says_so(path: tuple[str | int, ...]) -> None:
    with pytest.raises(ExpressionError, match=r"Steps\.A\.x has no value"):
        walk({"list": [1, 2], "text": "t"}, path, "Steps.A.x")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Get": "Parameters.Epochs"}, 3),
        ({"Get": "Execution.PipelineExecutionId"}, "abc"),
        ({"Get": "Steps.Split.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri"}, "s3://b/test"),
        ({"Get": "Steps.Split.ProcessingOutputConfig.Outputs[0].S3Output.S3Uri"}, "s3://b/train"),
        ({"Std:Join": {"On": "", "Values": [{"Get": "Parameters.Epochs"}]}}, "3"),
        ({"Std:Join": {"On": "/", "Values": ["a", 1, 0.5, True, ""]}}, "a/1/0.5/true/"),
        ({"Std:Join": {"On": "/", "Values": ["a", {"Std:Join": {"On": "-", "Values": ["x", "y"]}}]}}, "a/x-y"),
        ({"Std:Join": {"On": ",", "Values": []}}, ""),
        ({"Std:JsonGet": {"PropertyFile": {"Get": "Steps.E.PropertyFiles.M"}, "Path": "metrics['f1'].value"}}, 0.5),
        ({"Std:JsonGet": {"S3Uri": {"Std:Join": {"On": "/", "Values": ["s3://b", "k"]}}, "Path": "at"}}, "s3://b/k"),
        ({"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": "list[1]"}}, 2),
    ],
)  # fmt: skip
def test_expressions_have_values(expression: Any, value: Any) -> None:
    resolved = scope(Epochs=3).resolve({"deep": [expression]})
    assert resolved == {"deep": [value]}
    assert type(resolved["deep"][0]) is type(value)


@pytest.mark.parametrize(
    "expression",
    [
        {"Get": "Parameters.Gone"},
        {"Get": "Nothing.X"},
        {"Get": "Steps"},
        {"Std:Join": {"On": "", "Values": [{"Get": "Parameters"}]}},
        {"Std:JsonGet": {"PropertyFile": "E", "Path": "a"}},
        {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.E.Files.M"}, "Path": "a"}},
        {"Std:JsonGet": {"S3Uri": "s3://b/k", "Path": "gone"}},
    ],
)
def test_expressions_without_a_value_are_errors(expression: Any) -> None:
    with pytest.raises(ExpressionError):
        scope().resolve(expression)


@given(JSON)
def test_what_holds_no_expression_stays_as_it_is(value: Any) -> None:
    if not list(gets(value)):
        assert scope().resolve(value) == value


def test_every_get_is_found_wherever_it_is() -> None:
    value = {"a": [{"Get": "Parameters.X"}], "b": {"Std:Join": {"On": "", "Values": [{"Get": "Steps.Y.z"}]}}}
    assert list(gets(value)) == ["Parameters.X", "Steps.Y.z"]


def test_join_takes_no_lists() -> None:
    with pytest.raises(ExpressionError, match="not list"):
        to_text([])


DECLARED: list[Mapping[str, Any]] = [
    {"Name": "Text", "Type": "String", "DefaultValue": "a", "EnumValues": ["a", "b"]},
    {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
    {"Name": "Share", "Type": "Float", "DefaultValue": 0.5},
    {"Name": "Flag", "Type": "Boolean", "DefaultValue": False},
]


def test_parameters_are_read_as_their_types() -> None:
    given = {"Text": "b", "Count": "7", "Share": "1e-3", "Flag": "True"}
    assert typed_parameters(DECLARED, given) == {"Text": "b", "Count": 7, "Share": 0.001, "Flag": True}
    assert typed_parameters(DECLARED, {}) == {"Text": "a", "Count": 1, "Share": 0.5, "Flag": False}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"Gone": "1"}, "no parameter Gone"),
        ({"Text": "c"}, "one of a, b"),
        ({"Count": "1.5"}, "of type Integer"),
        ({"Share": "much"}, "of type Float"),
        ({"Flag": "yes"}, "true or false"),
    ],
)
def test_parameters_of_another_type_are_refused(given: dict[str, str], message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        typed_parameters(DECLARED, given)


def test_a_parameter_without_default_must_be_given() -> None:
    with pytest.raises(ExpressionError, match="parameter X has no default"):
        typed_parameters([{"Name": "X", "Type": "String"}], {})
