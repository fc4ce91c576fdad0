"""Reading the template: CloudFormation's short forms as the long ones, and functions put in place of their values."""

from __future__ import annotations

import re
from typing import Any

import yaml

_PLAIN = {"Ref", "Condition"}


class _Loader(yaml.SafeLoader):
    """Knows the tags of CloudFormation."""


def _tagged(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in _PLAIN else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tagged)


def load(text: str) -> dict[str, Any]:
    """Return a template with its short forms (`!Sub x`) as long ones (`{"Fn::Sub": "x"}`)."""
    document: dict[str, Any] = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader with more tags
    return document


ACCOUNT, REGION = "123456789012", "us-east-1"
_PSEUDO = {"AWS::AccountId": ACCOUNT, "AWS::Region": REGION, "AWS::Partition": "aws", "AWS::StackName": "bincount"}
NO_VALUE = "AWS::NoValue"
EVERYTHING = {
    "CiSubject": "repo:octo/bincount:ref:refs/heads/main",
    "DriftSchedule": "rate(1 day)",
    "Email": "ops@example.com",
    "KmsKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/2f6c",
    "PhotoBucket": "photos-of-ours",
    "PredictConcurrency": 5,
    "RetrainOnDrift": "true",
    "RetrainSchedule": "cron(0 3 ? * SUN *)",
    "SecurityGroups": "sg-1",
    "Subnets": "subnet-1,subnet-2",
}
"""Parameters with which the stack has all that it can have."""
# By type: the property that names a resource, and its ARN.
_NAMED = {
    "AWS::S3::Bucket": ("BucketName", "arn:aws:s3:::{}"),
    "AWS::IAM::Role": ("RoleName", f"arn:aws:iam::{ACCOUNT}:role/{{}}"),
    "AWS::IAM::ManagedPolicy": ("ManagedPolicyName", f"arn:aws:iam::{ACCOUNT}:policy/{{}}"),
    "AWS::Lambda::Function": ("FunctionName", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{{}}"),
    "AWS::ECR::Repository": ("RepositoryName", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{{}}"),
    "AWS::Logs::LogGroup": ("LogGroupName", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{{}}:*"),
    "AWS::SQS::Queue": ("QueueName", f"arn:aws:sqs:{REGION}:{ACCOUNT}:{{}}"),
    "AWS::SNS::Topic": ("TopicName", f"arn:aws:sns:{REGION}:{ACCOUNT}:{{}}"),
    "AWS::Events::Rule": ("Name", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{{}}"),
    "AWS::CloudWatch::Alarm": ("AlarmName", f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{{}}"),
}
_REF_IS_ARN = {"AWS::SNS::Topic", "AWS::IAM::ManagedPolicy"}


class Stack:
    """The template with its parameters, conditions and references put in, as CloudFormation does it."""

    def __init__(self, template: dict[str, Any], **parameters: Any) -> None:
        self._template = template
        self._given = {name: parameters.get(name, one["Default"]) for name, one in template["Parameters"].items()}
        kept = {name: one for name, one in template["Resources"].items() if self._holds(one.get("Condition"))}
        self.resources: dict[str, dict[str, Any]] = {name: self.value(one) for name, one in kept.items()}

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return the properties of all resources of a type, by their logical names."""
        return {name: one["Properties"] for name, one in self.resources.items() if one["Type"] == kind}

    def value(self, node: Any) -> Any:
        """Return a part of the template without functions."""
        if isinstance(node, list):
            values = [self.value(one) for one in node]
            return [one for one in values if one != NO_VALUE]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((name, given),) = node.items()
            if name == "Ref":
                return self._ref(given)
            if name.startswith("Fn::"):
                return getattr(self, f"_{name[4:].lower()}")(given)
        members = {name: self.value(one) for name, one in node.items()}
        return {name: one for name, one in members.items() if one != NO_VALUE}

    def _holds(self, condition: str | None) -> bool:
        return condition is None or bool(self._test(self._template["Conditions"][condition]))

    def _test(self, node: Any) -> bool:
        ((name, given),) = node.items()
        match name:
            case "Condition":
                return self._holds(given)
            case "Fn::Not":
                return not self._test(given[0])
            case "Fn::And":
                return all(self._test(one) for one in given)
            case "Fn::Or":
                return any(self._test(one) for one in given)
        left, right = (self.value(one) for one in given)
        return str(left) == str(right)

    def _if(self, given: Any) -> Any:
        return self.value(given[1] if self._holds(given[0]) else given[2])

    def _join(self, given: Any) -> str:
        return str(given[0]).join(self.value(given[1]))

    def _sub(self, text: str) -> str:
        return re.sub(r"\$\{([\w:.]+)\}", lambda found: self._named(found[1]), text)

    def _named(self, name: str) -> str:
        return str(self._getatt(name.split(".", 1)) if "." in name else self._ref(name))

    def _ref(self, name: str) -> Any:
        if name == NO_VALUE or name in _PSEUDO:
            return _PSEUDO.get(name, NO_VALUE)
        if name in self._given:
            listed = self._template["Parameters"][name]["Type"] == "CommaDelimitedList"
            return self._given[name].split(",") if listed else self._given[name]
        one = self._template["Resources"][name]
        if one["Type"] in _REF_IS_ARN:
            return self._getatt([name, "Arn"])
        return self.value(one["Properties"][_NAMED[one["Type"]][0]]) if one["Type"] in _NAMED else f"{name}-id"

    def _getatt(self, given: list[str]) -> str:
        one = self._template["Resources"][given[0]]
        if one["Type"] not in _NAMED or given[1] not in {"Arn", "QueueName"}:
            return f"{given[0]}-{given[1]}"
        key, arn = _NAMED[one["Type"]]
        name = str(self.value(one["Properties"][key]))
        return arn.format(name) if given[1] == "Arn" else name
