from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pipeline.local.home import Home
from pipeline.local.store import Store

if TYPE_CHECKING:
    from tests.pipeline.local.conftest import Toy

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:bincount-deploy"
ARN = "arn:aws:events:us-east-1:000000000000:rule/mine"
PATTERN = json.dumps({"source": ["me"]})


@pytest.fixture
def events(session: boto3.Session, toy: Toy) -> Any:
    return session.client("events")


def code(call: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_the_rules_of_the_repository_are_there_from_the_start(session: boto3.Session) -> None:
    client: Any = session.client("events")
    assert [rule["Name"] for rule in client.list_rules()["Rules"]] == ["bincount-approval", "bincount-endpoint"]
    for name in ("bincount-approval", "bincount-endpoint"):
        assert [target["Arn"] for target in client.list_targets_by_rule(Rule=name)["Targets"]] == [FUNCTION]
        assert client.describe_rule(Name=name)["State"] == "ENABLED"


def test_a_rule_of_the_file_can_be_disabled_changed_and_deleted(events: Any, toy: Toy) -> None:
    (toy.folder / "deploy" / "rules.json").write_text('{"mine": {"source": ["me"]}}')
    events.disable_rule(Name="mine")
    assert events.describe_rule(Name="mine")["State"] == "DISABLED"
    events.put_rule(Name="mine", ScheduleExpression="rate(15 minutes)")
    assert "EventPattern" not in events.describe_rule(Name="mine")
    (target,) = events.list_targets_by_rule(Rule="mine")["Targets"]
    assert code(lambda: events.delete_rule(Name="mine")) == "ValidationException"
    events.remove_targets(Rule="mine", Ids=[target["Id"], "unknown"])
    events.delete_rule(Name="mine")
    events.delete_rule(Name="mine")
    assert events.list_rules()["Rules"] == []
    assert code(lambda: events.describe_rule(Name="mine")) == "ResourceNotFoundException"
    events.put_rule(Name="mine", EventPattern=PATTERN)
    assert events.list_targets_by_rule(Rule="mine")["Targets"] == []


def test_a_rule_is_replaced_but_for_its_targets_and_tags(events: Any) -> None:
    tags = [{"Key": "project", "Value": "bincount"}]
    made = events.put_rule(Name="mine", EventPattern=PATTERN, Description="first", Tags=tags)
    assert made["RuleArn"] == ARN
    events.put_targets(Rule="mine", Targets=[{"Id": "1", "Arn": FUNCTION}])
    events.put_rule(Name="mine", ScheduleExpression="cron(0 8 * * ? *)", State="DISABLED")
    found = events.describe_rule(Name="mine")
    assert (found["ScheduleExpression"], found["State"]) == ("cron(0 8 * * ? *)", "DISABLED")
    assert "Description" not in found
    assert len(events.list_targets_by_rule(Rule="mine")["Targets"]) == 1
    assert events.list_tags_for_resource(ResourceARN=ARN)["Tags"] == tags
    events.enable_rule(Name="mine")
    assert events.describe_rule(Name="mine")["State"] == "ENABLED"


def test_tags_go_with_their_rule(events: Any) -> None:
    events.put_rule(Name="mine", EventPattern=PATTERN)
    events.tag_resource(ResourceARN=ARN, Tags=[{"Key": "a", "Value": "1"}])
    events.delete_rule(Name="mine")
    assert code(lambda: events.list_tags_for_resource(ResourceARN=ARN)) == "ResourceNotFoundException"
    events.put_rule(Name="mine", EventPattern=PATTERN)
    assert events.list_tags_for_resource(ResourceARN=ARN)["Tags"] == []


def test_rules_are_listed_by_name_in_pages(events: Any) -> None:
    for name in ("b", "a2", "a1"):
        events.put_rule(Name=name, EventPattern=PATTERN)
    first = events.list_rules(Limit=2)
    rest = events.list_rules(Limit=2, NextToken=first["NextToken"])
    assert [rule["Name"] for rule in first["Rules"] + rest["Rules"]] == ["a1", "a2", "b"]
    assert [rule["Name"] for rule in events.list_rules(NamePrefix="a")["Rules"]] == ["a1", "a2"]


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, "ValidationException"),
        ({"EventPattern": "{}"}, "InvalidEventPatternException"),
        ({"EventPattern": '{"source": [{"like": "a"}]}'}, "InvalidEventPatternException"),
        ({"ScheduleExpression": "every day"}, "ValidationException"),
        ({"ScheduleExpression": "rate(1 minutes)"}, "ValidationException"),
        ({"ScheduleExpression": "rate(5 minute)"}, "ValidationException"),
        ({"EventPattern": PATTERN, "EventBusName": "other"}, "ResourceNotFoundException"),
        ({"EventPattern": PATTERN, "RoleArn": "arn:aws:iam::000000000000:role/x"}, "NotImplemented"),
    ],
)
def test_what_is_no_rule_is_refused(events: Any, request_: dict[str, Any], expected: str) -> None:
    assert code(lambda: events.put_rule(Name="mine", **request_)) == expected
    assert events.list_rules()["Rules"] == []


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"Arn": "arn:aws:sqs:us-east-1:000000000000:queue"}, "NotImplemented"),
        ({"InputTransformer": {"InputTemplate": "{}"}}, "NotImplemented"),
        ({"InputPath": "$.detail[0]"}, "NotImplemented"),
        ({"Input": "{"}, "ValidationException"),
        ({"Input": "{}", "InputPath": "$.detail"}, "ValidationException"),
    ],
)
def test_what_is_no_target_is_refused(events: Any, target: dict[str, Any], expected: str) -> None:
    events.put_rule(Name="mine", EventPattern=PATTERN)
    one = {"Id": "1", "Arn": FUNCTION, **target}
    assert code(lambda: events.put_targets(Rule="mine", Targets=[one])) == expected
    assert events.list_targets_by_rule(Rule="mine")["Targets"] == []


def test_a_rule_has_five_targets_at_most(events: Any) -> None:
    events.put_rule(Name="mine", EventPattern=PATTERN)
    events.put_targets(Rule="mine", Targets=[{"Id": str(id), "Arn": FUNCTION} for id in range(5)])
    events.put_targets(Rule="mine", Targets=[{"Id": "4", "Arn": FUNCTION, "Input": "1"}])
    more = [{"Id": "5", "Arn": FUNCTION}]
    assert code(lambda: events.put_targets(Rule="mine", Targets=more)) == "LimitExceededException"
    assert code(lambda: events.put_targets(Rule="none", Targets=more)) == "ResourceNotFoundException"


def test_the_bus_may_be_named_by_its_arn(events: Any, home: Home, store: Store) -> None:
    bus = "arn:aws:events:us-east-1:000000000000:event-bus/default"
    events.put_rule(Name="mine", EventPattern=PATTERN, EventBusName=bus)
    assert events.describe_rule(Name="mine")["EventBusName"] == "default"
