"""Every role of the template may do what is called with it, and nothing else.

What is called is in `calls.json`, which the tests themselves gather (`tests/iam_recorder.py`), and in the compiled
definitions; what that needs, in `needs.py` and `definitions.py`; what is granted, in the template.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.compile import compile_definition
from pipeline.settings import load_settings
from pipeline.template import template_body
from tests.iam_recorder import snapshot
from tests.infra.grants import ANY, Statement, formats, grants, listed, statements
from tests.infra.roles import FUNCTIONS, required
from tests.infra.templates import EVERYTHING, Stack, load

WEIGHTS = {"hyperparameters.weights": "channel", "train.weights_uri": "s3://bincount-local/weights/"}
PRINCIPALS = [
    *(f"{name}Role" for name in ("Pipeline", "Processing", "Training", "Model")),
    *(f"{name.title()}Role" for name in FUNCTIONS),
    *(f"{name}Role" for name in ("RetrainSchedule", "DriftSchedule", "Retrain", "Ci")),
    *(f"{name}Policy" for name in ("Ci", "Operator", "UserKey")),
]


@pytest.fixture(scope="module")
def stack() -> Stack:
    return Stack(load(template_body()), **EVERYTHING)


@pytest.fixture(scope="module")
def definitions() -> list[dict[str, Any]]:
    settings = [load_settings(profile, WEIGHTS) for profile in ("dev", "baseline", "prod")]
    return [json.loads(compile_definition(one)) for one in settings]


@pytest.fixture(scope="module")
def wanted(stack: Stack, definitions: list[dict[str, Any]]) -> dict[str, set[str]]:
    return required(stack, snapshot(), definitions)


def test_every_role_is_held_against_what_is_called(stack: Stack, wanted: dict[str, set[str]]) -> None:
    assert set(stack.of_type("AWS::IAM::Role")) == {name for name in PRINCIPALS if name.endswith("Role")}
    assert set(wanted) == set(PRINCIPALS)
    assert all(wanted.values())


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_a_role_grants_what_is_called_and_nothing_else(
    stack: Stack, wanted: dict[str, set[str]], principal: str
) -> None:
    granted = grants(statements(stack, principal))
    assert sorted(wanted[principal] - granted) == [], "called, but not granted"
    assert sorted(granted - wanted[principal]) == [], "granted, but never called"


def each_action(found: list[Statement]) -> Iterator[tuple[int, str]]:
    for place, statement in enumerate(found):
        for action in listed(statement["Action"]):
            yield place, action


def without(found: list[Statement], place: int, action: str) -> list[Statement]:
    changed = copy.deepcopy(found)
    changed[place]["Action"] = [one for one in listed(changed[place]["Action"]) if one != action]
    return changed


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_any_action_that_is_taken_away_is_missed(stack: Stack, wanted: dict[str, set[str]], principal: str) -> None:
    found = statements(stack, principal)
    for place, action in each_action(found):
        assert wanted[principal] - grants(without(found, place, action)), f"{action} of statement {place}"


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_any_action_that_is_added_is_one_too_many(stack: Stack, wanted: dict[str, set[str]], principal: str) -> None:
    found = statements(stack, principal)
    for place, statement in enumerate(found):
        changed = copy.deepcopy(found)
        changed[place]["Action"] = [*listed(statement["Action"]), "s3:DeleteBucket", "iam:CreateUser"]
        assert grants(changed) - wanted[principal], f"statement {place}"


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_any_resource_that_is_widened_is_seen(stack: Stack, wanted: dict[str, set[str]], principal: str) -> None:
    found = statements(stack, principal)
    for place, statement in enumerate(found):
        if statement["Resource"] != ANY:
            changed = copy.deepcopy(found)
            changed[place]["Resource"] = ANY
            assert grants(changed) - wanted[principal], f"statement {place}"


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_no_star_stands_where_an_arn_can(stack: Stack, principal: str) -> None:
    for statement in statements(stack, principal):
        assert statement["Effect"] == "Allow"
        assert "NotAction" not in statement
        assert "NotResource" not in statement
        for action in listed(statement["Action"]):
            assert ANY not in action
            if ANY in listed(statement["Resource"]):
                assert formats(action) == [], f"{action} knows resources"
        for resource in listed(statement["Resource"]):
            assert resource == ANY or not resource.split(":", 5)[5].startswith(ANY), resource


def conditions(stack: Stack, principal: str, action: str) -> list[dict[str, Any]]:
    """Return the conditions of the statements that allow an action."""
    found = [one for one in statements(stack, principal) if action in listed(one["Action"])]
    assert found, f"{principal} has no {action}"
    return [one.get("Condition", {}) for one in found]


def test_the_pipeline_registers_what_a_person_has_to_approve(stack: Stack) -> None:
    pending = {"StringEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}}
    assert conditions(stack, "PipelineRole", "sagemaker:CreateModelPackage") == [pending]
    assert conditions(stack, "DeployRole", "sagemaker:UpdateModelPackage") == [
        {"Null": {"sagemaker:ModelApprovalStatus": "true"}}
    ]


@pytest.mark.parametrize("job", ["ProcessingJob", "TrainingJob", "HyperParameterTuningJob"])
def test_jobs_are_isolated_whatever_a_definition_says(stack: Stack, job: str) -> None:
    isolated = {"sagemaker:NetworkIsolation": "true", "sagemaker:InterContainerTrafficEncryption": "true"}
    assert conditions(stack, "PipelineRole", f"sagemaker:Create{job}") == [{"Bool": isolated}]


@pytest.mark.parametrize("principal", ["PipelineRole", "DeployRole", "CiPolicy"])
def test_roles_are_passed_to_sagemaker_alone(stack: Stack, principal: str) -> None:
    passed = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    assert conditions(stack, principal, "iam:PassRole") == [passed]


@pytest.mark.parametrize("principal", PRINCIPALS)
def test_metrics_go_into_a_namespace_of_their_own(stack: Stack, principal: str) -> None:
    for statement in statements(stack, principal):
        if "cloudwatch:PutMetricData" in listed(statement["Action"]):
            assert list(statement["Condition"]) == ["StringEquals"]
            assert list(statement["Condition"]["StringEquals"]) == ["cloudwatch:namespace"]


@pytest.mark.parametrize("principal", ["CiPolicy", "PipelineRole", "DeployRole", "ProcessingRole", "TrainingRole"])
def test_nobody_but_the_operator_approves(wanted: dict[str, set[str]], principal: str) -> None:
    assert "sagemaker:UpdateModelPackage model-package/bincount-*" in wanted["OperatorPolicy"]
    held = {pair for pair in wanted[principal] if "UpdateModelPackage" in pair}
    assert held == (set() if principal != "DeployRole" else {"sagemaker:UpdateModelPackage model-package/bincount-*"})


def test_every_role_of_a_service_is_assumed_by_it_alone(stack: Stack) -> None:
    for name, role in stack.of_type("AWS::IAM::Role").items():
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        if name == "CiRole":
            assert statement["Condition"]["StringEquals"].keys() == {
                "token.actions.githubusercontent.com:aud",
                "token.actions.githubusercontent.com:sub",
            }
        else:
            assert list(statement["Principal"]) == ["Service"], name
