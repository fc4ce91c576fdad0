"""parliament, a linter of IAM policies, finds nothing in any policy of the template."""

from __future__ import annotations

import json
import warnings
from typing import Any

import pytest

from pipeline.template import template_body
from tests.infra.grants import reference
from tests.infra.templates import EVERYTHING, Stack, load

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of pkg_resources, deprecated
    import parliament


@pytest.fixture(scope="module")
def stack() -> Stack:
    return Stack(load(template_body()), **EVERYTHING)


def documents(stack: Stack) -> dict[str, dict[str, Any]]:
    """Return every policy of identities, by where it is."""
    found = {}
    for name, one in stack.resources.items():
        for inline in one["Properties"].get("Policies", []):
            found[f"{name}.{inline['PolicyName']}"] = inline["PolicyDocument"]
        if one["Type"] == "AWS::IAM::ManagedPolicy":
            found[name] = one["Properties"]["PolicyDocument"]
    return found


def findings(document: dict[str, Any]) -> list[str]:
    policy = parliament.analyze_policy_string(json.dumps(document))
    # Its list of actions is of 2024: an action is unknown when AWS's reference of today has it not either.
    return [f"{one.issue} {one.detail} {one.location}" for one in policy.findings if not is_new(one)]


def is_new(finding: Any) -> bool:
    service, _, action = str(finding.location.get("string")).partition(":")
    return finding.issue == "UNKNOWN_ACTION" and action.lower() in reference()[service]["Actions"]


def test_parliament_finds_nothing(stack: Stack) -> None:
    assert {name: found for name, one in documents(stack).items() if (found := findings(one))} == {}


def test_parliament_sees_faults() -> None:
    statement = {"Effect": "Allow", "Action": "s3:GetObjekt", "Resource": "*"}
    assert findings({"Version": "2012-10-17", "Statement": [statement]})


def test_the_topic_takes_what_eventbridge_sends(stack: Stack) -> None:
    """EventBridge names no source to an encrypted topic: its guide says that a condition on one is not supported."""
    for name, policy in (("TopicKey", "KeyPolicy"), ("TopicPolicy", "PolicyDocument")):
        statements = stack.resources[name]["Properties"][policy]["Statement"]
        (its,) = [one for one in statements if "events.amazonaws.com" in str(one["Principal"])]
        assert its["Principal"] == {"Service": "events.amazonaws.com"}
        assert "Condition" not in its
        (others,) = [one for one in statements if "cloudwatch.amazonaws.com" in str(one["Principal"])]
        assert others["Condition"]["StringEquals"].keys() == {"aws:SourceAccount"}


def test_policies_fit(stack: Stack) -> None:
    """IAM counts characters without spaces: 6,144 of a managed policy, 10,240 of all inline ones of a role."""
    for name, one in documents(stack).items():
        managed = stack.resources[name.partition(".")[0]]["Type"] == "AWS::IAM::ManagedPolicy"
        assert len(json.dumps(one, separators=(",", ":"))) < (5500 if managed else 9500), name
