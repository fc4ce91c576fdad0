from __future__ import annotations

import json
from typing import Any

import pytest

from pipeline.errors import UserError
from pipeline.local.graph import Graph, parse


def graph(*steps: dict[str, Any]) -> Graph:
    return parse(json.dumps({"Version": "2020-12-01", "Steps": steps}))


def step(name: str, *references: str, **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": "Processing", "Arguments": {"x": [{"Get": text} for text in references]}, **more}


def condition(
    name: str, then: list[dict[str, Any]], otherwise: list[dict[str, Any]], *references: str
) -> dict[str, Any]:
    conditions = [{"Type": "Equals", "LeftValue": {"Get": text}, "RightValue": 1} for text in references]
    arguments = {"Conditions": conditions, "IfSteps": then, "ElseSteps": otherwise}
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


def test_a_step_needs_what_it_refers_to_and_depends_on() -> None:
    join = {"Std:Join": {"On": "", "Values": [{"Get": "Steps.C.y"}]}}
    found = graph(
        step("A"),
        step("B", "Parameters.P", "Steps.A.x"),
        step("C", DependsOn=["B"]),
        step("D", FunctionArn=join, DependsOn=[{"Step": "A", "Trigger": "Any"}]),
    )
    assert found.steps["B"].needs == {"A": "Completed"}
    assert found.steps["C"].needs == {"B": "Completed"}
    assert found.steps["D"].needs == {"C": "Completed", "A": "Any"}


def test_a_property_file_is_a_need() -> None:
    read = {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.A.PropertyFiles.M"}, "Path": "a"}}
    assert graph(step("A"), step("B", DependsOn=[], Environment=read)).steps["B"].needs == {"A": "Completed"}


def test_branches_need_their_condition_and_the_condition_not_its_branches() -> None:
    found = graph(
        step("A"), condition("If", [step("Yes", "Steps.A.x")], [condition("Deep", [step("No")], [])], "Steps.A.y")
    )
    assert found.steps["If"].needs == {"A": "Completed"}
    assert found.steps["Yes"].needs == {"A": "Completed", "If": "Completed"}
    assert found.steps["Yes"].branch == ("If", True)
    assert found.steps["Deep"].branch == ("If", False)
    assert found.steps["No"].branch == ("Deep", True)


def test_the_branch_that_is_not_taken_is_skipped_with_all_that_needs_it() -> None:
    found = graph(condition("If", [step("Yes")], [step("No")]), step("After", "Steps.No.x"))
    outcomes: Any = {"If": "Succeeded"}
    assert found.verdict(found.steps["Yes"], outcomes, {"If": True}) == "start"
    assert found.verdict(found.steps["No"], outcomes, {"If": True}) == "skip"
    assert found.verdict(found.steps["After"], outcomes, {"If": True}) == "wait"
    assert found.verdict(found.steps["After"], outcomes | {"No": "Skipped"}, {"If": True}) == "skip"


@pytest.mark.parametrize(
    ("trigger", "outcome", "verdict"),
    [
        ("Completed", "Succeeded", "start"),
        ("Completed", "Failed", "skip"),
        ("Failed", "Failed", "start"),
        ("Failed", "Succeeded", "skip"),
        ("Stopped", "Stopped", "start"),
        ("Any", "Failed", "start"),
        ("Any", "Skipped", "skip"),
    ],
)
def test_triggers_decide_after_which_outcome_a_step_starts(trigger: str, outcome: Any, verdict: str) -> None:
    found = graph(step("A"), step("B", DependsOn=[{"Step": "A", "Trigger": trigger}]))
    assert found.verdict(found.steps["B"], {}, {}) == "wait"
    assert found.verdict(found.steps["B"], {"A": outcome}, {}) == verdict


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a pipeline definition"),
        ("[]", "not a pipeline definition"),
        ('{"Steps": [{"Name": "A"}]}', "not a pipeline definition"),
        (json.dumps({"Steps": [step("A"), step("A")]}), "two steps named A"),
        (json.dumps({"Steps": [step("A", "Steps.B.x")]}), "refers to step B"),
        (json.dumps({"Steps": [step("A", "Steps..x")]}), "cannot read the path"),
        (json.dumps({"Steps": [step("../A")]}), "cannot be a step's name"),
        (json.dumps({"Steps": [step("A", Type="Callback")]}), "steps of type Callback do not run"),
        (json.dumps({"Steps": [step("A", "Steps.B.x"), step("B", DependsOn=["A"])]}), "wait for each other"),
        (json.dumps({"Steps": [step("A"), step("B", DependsOn=[{"Step": "A", "Trigger": "Maybe"}])]}), "not a trigger"),
    ],
)  # fmt: skip
def test_what_cannot_be_run_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as caught:
        parse(text)
    assert "\n" not in str(caught.value)
