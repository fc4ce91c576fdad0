"""The template is one that CloudFormation takes, and says what the code beside it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.api import lint

from pipeline.errors import UserError
from pipeline.settings import PROFILES, PROJECT
from pipeline.template import MOST_BYTES, TEMPLATE, template_body
from tests.infra.templates import load

ROOT = Path(__file__).parents[2]
OF_AWS = set(PROFILES) - {"demo", "local"}


@pytest.fixture(scope="module")
def template() -> dict[str, Any]:
    return load(template_body())


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    found = {name: one["Properties"] for name, one in template["Resources"].items() if one["Type"] == kind}
    assert found, f"the template has no {kind}"
    return found


def test_cfn_lint_finds_nothing() -> None:
    found = lint(TEMPLATE.read_text(encoding="utf-8"), regions=["us-east-1", "eu-central-1"])
    assert [str(one) for one in found] == []


def test_cfn_lint_sees_faults() -> None:
    broken = TEMPLATE.read_text(encoding="utf-8").replace("Status: Enabled}", "Status: On}", 1)
    assert lint(broken, regions=["us-east-1"])


def test_what_is_sent_is_the_template_and_fits_in_a_request() -> None:
    body = template_body()
    assert len(body.encode()) <= MOST_BYTES
    assert "\n" not in body.strip()
    assert plain(load(body)) == plain(load(TEMPLATE.read_text(encoding="utf-8")))


def plain(node: Any) -> Any:
    """Return a document with the JSON in its texts read, since spaces in it make no difference."""
    if isinstance(node, dict):
        return {name: plain(one) for name, one in node.items()}
    if isinstance(node, list):
        return [plain(one) for one in node]
    if isinstance(node, str) and node.startswith('{"'):
        return json.loads(node)
    return node.strip() if isinstance(node, str) else node


def test_the_body_of_no_checkout_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run this from a checkout"):
        template_body(tmp_path / "template.yaml")


def test_the_template_needs_no_yaml_that_cloudformation_lacks() -> None:
    text = TEMPLATE.read_text(encoding="utf-8")
    assert not [one for one in yaml.scan(text) if isinstance(one, yaml.AliasToken | yaml.AnchorToken)]


def test_every_parameter_says_what_it_is_and_holds_values_back(template: dict[str, Any]) -> None:
    constraints = {"AllowedPattern", "AllowedValues", "MinValue"}
    for name, parameter in template["Parameters"].items():
        assert parameter["Description"], name
        assert "Default" in parameter, f"{name}: bootstrap asks for nothing"
        assert constraints & set(parameter) or parameter["Type"] == "CommaDelimitedList", name


def test_defaults_keep_their_own_constraints(template: dict[str, Any]) -> None:
    for name, parameter in template["Parameters"].items():
        if pattern := parameter.get("AllowedPattern"):
            assert re.fullmatch(pattern, parameter["Default"]), name
        assert parameter["Default"] in parameter.get("AllowedValues", [parameter["Default"]]), name


@pytest.mark.parametrize(
    ("subject", "taken"),
    [
        ("repo:octo/bincount:ref:refs/heads/main", True),
        ("repo:octo@12/bincount@345:ref:refs/heads/main", True),
        ("repo:octo/bincount:environment:production", True),
        ("repo:octo/bincount:pull_request", False),
        ("repo:octo/*:ref:refs/heads/main", False),
        ("repo:octo/bincount:*", False),
        ("repo:octo/bincount:ref:refs/heads/*", False),
        ("*", False),
    ],
)
def test_ci_is_one_branch_or_environment_of_one_repository(
    template: dict[str, Any], subject: str, *, taken: bool
) -> None:
    pattern = template["Parameters"]["CiSubject"]["AllowedPattern"]
    assert bool(re.fullmatch(pattern, subject)) == taken
    trust = template["Resources"]["CiRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert [list(one["Condition"]) for one in trust] == [["StringEquals"]]


def test_rules_are_those_of_the_deploy_function(template: dict[str, Any]) -> None:
    theirs = json.loads((ROOT / "lambda" / "deploy" / "rules.json").read_text(encoding="utf-8"))
    rules = {one["Name"]: one for one in of_type(template, "AWS::Events::Rule").values()}
    assert {name: rules[name]["EventPattern"] for name in theirs} == theirs
    for name in theirs:
        assert [one["Arn"] for one in rules[name]["Targets"]] == [{"Fn::GetAtt": ["DeployFunction", "Arn"]}]


def test_the_drift_alarm_is_that_of_the_function(template: dict[str, Any]) -> None:
    theirs = json.loads((ROOT / "lambda" / "drift" / "alarm.json").read_text(encoding="utf-8"))
    alarm = template["Resources"]["DriftAlarm"]["Properties"]
    assert {name: alarm[name] for name in theirs} == theirs
    assert alarm["AlarmName"] == {"Fn::Sub": "bincount-${ServingProfile}-drift"}


def test_every_rule_and_schedule_has_somewhere_to_put_what_it_cannot_deliver(template: dict[str, Any]) -> None:
    rules, schedules = of_type(template, "AWS::Events::Rule"), of_type(template, "AWS::Scheduler::Schedule")
    targets = [target for one in rules.values() for target in one["Targets"]]
    targets += [one["Target"] for one in schedules.values()]
    assert all(one["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": ["Undelivered", "Arn"]} for one in targets)


def test_functions_are_those_of_the_repository(template: dict[str, Any]) -> None:
    functions = of_type(template, "AWS::Lambda::Function").values()
    folders = {path.parent.name for path in (ROOT / "lambda").glob("*/handler.py")}
    handlers = {one["FunctionName"]: one["Handler"] for one in functions}
    assert set(handlers) >= {f"{PROJECT}-{folder}" for folder in folders}
    assert all(handler == f"{name.removeprefix('bincount-')}.handler.handler" for name, handler in handlers.items())
    logs = {one["LogGroupName"] for one in of_type(template, "AWS::Logs::LogGroup").values()}
    assert {f"/aws/lambda/{name}" for name in handlers} < logs


def test_every_profile_of_aws_has_its_group(template: dict[str, Any]) -> None:
    groups = of_type(template, "AWS::SageMaker::ModelPackageGroup").values()
    assert {one["ModelPackageGroupName"] for one in groups} == {f"{PROJECT}-{profile}" for profile in OF_AWS}


def test_names_begin_with_the_project(template: dict[str, Any]) -> None:
    keys = {"RoleName", "FunctionName", "RepositoryName", "QueueName", "AlarmName", "ManagedPolicyName"}
    for name, one in template["Resources"].items():
        for key in keys & set(one["Properties"]):
            given = one["Properties"][key]
            assert isinstance(given, dict) or given.startswith(f"{PROJECT}-"), name


def test_outputs_are_those_that_the_command_reads(template: dict[str, Any]) -> None:
    roles = {f"{name}RoleArn" for name in ("Pipeline", "Processing", "Training", "Model", "Ci")}
    functions = {f"{name}FunctionArn" for name in ("Deploy", "Champion", "Predict", "Drift")}
    others = {"Bucket", "ApiUrl", "TopicArn", "KmsKeyArn", "Subnets", "SecurityGroups"}
    assert set(template["Outputs"]) == roles | functions | others


def test_images_that_may_serve_do_not_expire(template: dict[str, Any]) -> None:
    repositories = of_type(template, "AWS::ECR::Repository")
    for name, one in repositories.items():
        assert one["ImageTagMutability"] == "IMMUTABLE"
        assert one["ImageScanningConfiguration"] == {"ScanOnPush": True}
        rules = json.loads(one["LifecyclePolicy"]["LifecyclePolicyText"])["rules"]
        tagged = [rule for rule in rules if rule["selection"]["tagStatus"] != "untagged"]
        assert bool(tagged) == (name != "InferenceRepository")
