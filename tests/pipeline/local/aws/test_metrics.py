"""Metrics of functions, the drift alarm on them, and what its event starts."""

from __future__ import annotations

import json
import time
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pipeline.local.aws import bus
from pipeline.local.aws.account import Account

GROUP = "bincount-demo"
ROLE = "arn:aws:iam::000000000000:role/bincount-retrain"
PIPELINE = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/counts"
PATTERN = {
    "source": ["aws.cloudwatch"],
    "detail-type": ["CloudWatch Alarm State Change"],
    "resources": [f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{GROUP}-drift"],
    "detail": {"state": {"value": ["ALARM"]}},
}


@pytest.fixture
def cloudwatch(session: boto3.Session) -> Any:
    return session.client("cloudwatch")


@pytest.fixture
def events(session: boto3.Session) -> Any:
    return session.client("events")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return the events that reach the bus."""
    found: list[dict[str, Any]] = []
    send = bus._send

    def noted(account: Account, event: dict[str, Any]) -> None:
        found.append(dict(event))
        send(account, event)

    monkeypatch.setattr(bus, "_send", noted)
    return found


def put(cloudwatch: Any, value: float, name: str = "Drifted", group: str = GROUP, **members: Any) -> None:
    dimensions = [{"Name": "ModelPackageGroupName", "Value": group}]
    datum = {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": "None", **members}
    cloudwatch.put_metric_data(Namespace="Bincount", MetricData=[datum])


def states(cloudwatch: Any) -> dict[str, str]:
    return {one["AlarmName"]: one["StateValue"] for one in cloudwatch.describe_alarms()["MetricAlarms"]}


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.time()
    monkeypatch.setattr(Account, "now", lambda _: now + seconds)


def test_the_templates_alarm_is_there_from_a_groups_first_figures_on(cloudwatch: Any) -> None:
    assert states(cloudwatch) == {}
    put(cloudwatch, 0.5, "ClassMixPsi")
    assert states(cloudwatch) == {}
    put(cloudwatch, 0)
    put(cloudwatch, 1, group="bincount-prod")
    assert states(cloudwatch) == {f"{GROUP}-drift": "OK", "bincount-prod-drift": "ALARM"}


def test_an_alarm_that_somebody_changed_stays_as_it_is(cloudwatch: Any) -> None:
    put(cloudwatch, 0)
    (alarm,) = cloudwatch.describe_alarms()["MetricAlarms"]
    kept = {name: alarm[name] for name in alarm if not name.startswith(("State", "Alarm", "OK", "Insufficient"))}
    kept = {name: value for name, value in kept.items() if name != "ActionsEnabled"}
    cloudwatch.put_metric_alarm(AlarmName=alarm["AlarmName"], **kept | {"Threshold": 2.0})
    put(cloudwatch, 1)
    assert states(cloudwatch) == {f"{GROUP}-drift": "OK"}


def test_missing_figures_leave_the_alarm_as_it_is(cloudwatch: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    put(cloudwatch, 1)
    later(monkeypatch, 86_400)
    assert states(cloudwatch) == {f"{GROUP}-drift": "ALARM"}
    put(cloudwatch, 0)
    assert states(cloudwatch) == {f"{GROUP}-drift": "OK"}


def test_a_change_of_state_is_an_event_in_the_services_shape(
    cloudwatch: Any, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(cloudwatch, 1)
    (event,) = sent
    assert (event["source"], event["detail-type"]) == ("aws.cloudwatch", "CloudWatch Alarm State Change")
    assert event["resources"] == [f"arn:aws:cloudwatch:us-east-1:000000000000:alarm:{GROUP}-drift"]
    detail = event["detail"]
    assert (detail["alarmName"], detail["state"]["value"]) == (f"{GROUP}-drift", "ALARM")
    assert detail["previousState"]["value"] == "INSUFFICIENT_DATA"
    (metric,) = detail["configuration"]["metrics"]
    assert metric["metricStat"]["metric"]["dimensions"] == {"ModelPackageGroupName": GROUP}
    put(cloudwatch, 1)
    later(monkeypatch, 86_400)
    put(cloudwatch, 1)
    assert len(sent) == 1  # once a drift, not once a day
    cloudwatch.set_alarm_state(AlarmName=f"{GROUP}-drift", StateValue="OK", StateReason="a drill")
    assert [one["detail"]["state"]["value"] for one in sent] == ["ALARM", "OK"]


def retrain(events: Any, **parameters: str) -> None:
    listed = [{"Name": name, "Value": value} for name, value in parameters.items()]
    target = {"Id": "pipeline", "Arn": PIPELINE, "RoleArn": ROLE}
    events.put_rule(Name="bincount-retrain", EventPattern=json.dumps(PATTERN))
    chosen = {"SageMakerPipelineParameters": {"PipelineParameterList": listed}}
    events.put_targets(Rule="bincount-retrain", Targets=[target | chosen])


def test_the_alarm_starts_the_pipeline_of_a_rule_once(
    cloudwatch: Any, events: Any, sagemaker: Any, made: str, launched: list[str]
) -> None:
    retrain(events, Epochs="7")
    put(cloudwatch, 0)
    assert launched == []
    put(cloudwatch, 1)
    put(cloudwatch, 1)
    (execution,) = launched
    found = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=execution)["PipelineParameters"]
    assert {"Name": "Epochs", "Value": "7"} in found
    assert sagemaker.list_pipeline_executions(PipelineName=made)["PipelineExecutionSummaries"][0]


def test_a_pipeline_that_cannot_be_started_does_no_harm_to_who_put_the_figures(
    cloudwatch: Any, events: Any, launched: list[str]
) -> None:
    retrain(events)
    put(cloudwatch, 1)
    assert launched == []
    assert states(cloudwatch) == {f"{GROUP}-drift": "ALARM"}


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"RoleArn": None}, "ValidationException"),
        ({"Input": "{}"}, "NotImplemented"),
        ({"Arn": "arn:aws:sns:us-east-1:000000000000:topic"}, "NotImplemented"),
        (
            {"SageMakerPipelineParameters": {"PipelineParameterList": [{"Name": "Epochs", "Value": "$.detail.x"}]}},
            "NotImplemented",
        ),
    ],
)
def test_targets_that_are_not_taken(events: Any, members: dict[str, Any], code: str) -> None:
    target = {"Id": "pipeline", "Arn": PIPELINE, "RoleArn": ROLE, **members}
    events.put_rule(Name="bincount-retrain", EventPattern=json.dumps(PATTERN))
    given = {name: value for name, value in target.items() if value is not None}
    with pytest.raises(ClientError) as refused:
        events.put_targets(Rule="bincount-retrain", Targets=[given])
    assert refused.value.response["Error"]["Code"] == code


@pytest.mark.parametrize(
    ("namespace", "members", "code"),
    [
        ("AWS/SageMaker", {"Value": 1.0}, "InvalidParameterValue"),
        ("Bincount", {}, "InvalidParameterValue"),
        ("Bincount", {"Value": float("nan")}, "InvalidParameterValue"),
        ("Bincount", {"Value": 1.0, "Timestamp": 1_000_000_000}, "InvalidParameterValue"),
        ("Bincount", {"Values": [1.0]}, "NotImplemented"),
    ],
)
def test_data_that_are_not_taken(cloudwatch: Any, namespace: str, members: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=[{"MetricName": "Drifted", **members}])
    assert refused.value.response["Error"]["Code"] == code
