from __future__ import annotations

import multiprocessing
import time
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pipeline.local.aws import alarms
from pipeline.local.aws.account import Account
from pipeline.local.aws.alarms import alarm_state, record_invocation
from pipeline.local.home import Home
from pipeline.local.store import Store

ARN = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:new-5xx"


@pytest.fixture
def account(home: Home, store: Store) -> Account:
    return Account(home, store, lambda _home, _arn: 0)


@pytest.fixture
def cloudwatch(session: boto3.Session) -> Any:
    return session.client("cloudwatch")


def alarm(name: str = "new-5xx", config: str | None = "new", **members: Any) -> dict[str, Any]:
    dimensions = {"EndpointName": "counts", "VariantName": "AllTraffic"} | (
        {"EndpointConfigName": config} if config else {}
    )
    return {
        "AlarmName": name,
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Statistic": "Average",
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.1,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        **members,
    }


def without(request: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in request.items() if name not in names}


def record(home: Home, *statuses: int, config: str = "new", microseconds: float = 1000.0) -> None:
    for status in statuses:
        record_invocation(home, "counts", "AllTraffic", config, status, microseconds)


def state(cloudwatch: Any, name: str = "new-5xx") -> str:
    return str(cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])


def test_errors_of_the_new_config_alone_raise_its_alarm(cloudwatch: Any, account: Account, home: Home) -> None:
    cloudwatch.put_metric_alarm(**alarm())
    cloudwatch.put_metric_alarm(**alarm("both", config=None))
    assert alarm_state(account, "new-5xx") == "OK"
    record(home, 500, 503, config="old")
    record(home, *[200] * 10)
    assert (state(cloudwatch), state(cloudwatch, "both")) == ("OK", "ALARM")
    record(home, 500, 599)
    assert state(cloudwatch) == alarm_state(account, "new-5xx") == "ALARM"


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"MetricName": "Invocation4XXErrors", "Statistic": "Sum", "Threshold": 1.0}, "ALARM"),
        ({"MetricName": "Invocation4XXErrors", "Statistic": "Sum", "Threshold": 2.0}, "OK"),
        ({"MetricName": "Invocations", "Statistic": "Sum", "Threshold": 9.0}, "ALARM"),
        ({"MetricName": "ModelLatency", "Statistic": "Average", "Threshold": 2000.0}, "OK"),
        ({"MetricName": "ModelLatency", "Statistic": "Maximum", "Threshold": 8000.0}, "ALARM"),
        ({"MetricName": "ModelLatency", "Statistic": None, "ExtendedStatistic": "p99", "Threshold": 8000.0}, "ALARM"),
        ({"MetricName": "ModelLatency", "Statistic": None, "ExtendedStatistic": "p50", "Threshold": 2000.0}, "OK"),
    ],
)
def test_metrics_and_statistics(cloudwatch: Any, home: Home, members: dict[str, Any], expected: str) -> None:
    record(home, *[200] * 7, 404, 413, microseconds=1000)
    record(home, 200, microseconds=9000)
    request = {name: value for name, value in alarm(**members).items() if value is not None}
    cloudwatch.put_metric_alarm(**request)
    assert state(cloudwatch) == expected


def test_errors_of_the_past_are_past(
    cloudwatch: Any, account: Account, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(home, 500)
    cloudwatch.put_metric_alarm(**alarm(Period=10))
    assert alarm_state(account, "new-5xx") == "ALARM"
    now = time.time()
    monkeypatch.setattr(Account, "now", lambda _: now + 31)
    assert alarm_state(account, "new-5xx") == "OK"


def test_what_was_set_by_hand_stays_for_a_period(
    cloudwatch: Any, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloudwatch.put_metric_alarm(**alarm())
    cloudwatch.set_alarm_state(AlarmName="new-5xx", StateValue="ALARM", StateReason="a drill")
    assert alarm_state(account, "new-5xx") == "ALARM"
    (found,) = cloudwatch.describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert found["StateReason"] == "a drill"
    now = time.time()
    monkeypatch.setattr(Account, "now", lambda _: now + 61)
    assert alarm_state(account, "new-5xx") == "OK"
    assert "0.1" in cloudwatch.describe_alarms()["MetricAlarms"][0]["StateReason"]


def test_an_alarm_that_is_deleted_while_it_is_evaluated_is_no_error(cloudwatch: Any, account: Account) -> None:
    cloudwatch.put_metric_alarm(**alarm())
    found = account.store.get("alarm", "new-5xx")
    cloudwatch.delete_alarms(AlarmNames=["new-5xx"])
    assert found is not None
    assert alarms.evaluated(account, found)["StateValue"] == "OK"
    assert account.store.get("alarm", "new-5xx") is None


def test_an_alarm_begins_without_data_and_keeps_its_state_when_it_is_changed(cloudwatch: Any, account: Account) -> None:
    assert alarm_state(account, "new-5xx") == "INSUFFICIENT_DATA"
    cloudwatch.put_metric_alarm(**alarm(TreatMissingData="ignore"))
    assert state(cloudwatch) == "INSUFFICIENT_DATA"
    cloudwatch.put_metric_alarm(**alarm(TreatMissingData="breaching"))
    assert state(cloudwatch) == "ALARM"
    cloudwatch.put_metric_alarm(**alarm(TreatMissingData="ignore", AlarmDescription="changed"))
    (found,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (found["StateValue"], found["AlarmDescription"]) == ("ALARM", "changed")
    assert found["AlarmArn"] == ARN


def test_alarms_are_described_by_name_prefix_type_and_page(cloudwatch: Any) -> None:
    for name in ("b-5xx", "a-latency", "a-5xx"):
        cloudwatch.put_metric_alarm(**alarm(name))

    def names(**request: Any) -> list[str]:
        pages = cloudwatch.get_paginator("describe_alarms").paginate(**request, PaginationConfig={"PageSize": 1})
        return [found["AlarmName"] for page in pages for found in page["MetricAlarms"]]

    assert names() == ["a-5xx", "a-latency", "b-5xx"]
    assert names(AlarmNamePrefix="a-") == ["a-5xx", "a-latency"]
    assert names(AlarmNames=["b-5xx", "none"]) == ["b-5xx"]
    assert names(AlarmTypes=["CompositeAlarm"]) == []
    cloudwatch.delete_alarms(AlarmNames=["a-5xx", "none"])
    assert names() == ["a-latency", "b-5xx"]


def test_tags_go_with_their_alarm(cloudwatch: Any) -> None:
    tags = [{"Key": "project", "Value": "bincount"}]
    cloudwatch.put_metric_alarm(**alarm(), Tags=tags)
    cloudwatch.put_metric_alarm(**alarm(), Tags=[{"Key": "late", "Value": "ignored"}])
    cloudwatch.tag_resource(ResourceARN=ARN, Tags=[{"Key": "stage", "Value": "staging"}])
    found = cloudwatch.list_tags_for_resource(ResourceARN=ARN)["Tags"]
    assert found == [*tags, {"Key": "stage", "Value": "staging"}]
    cloudwatch.delete_alarms(AlarmNames=["new-5xx"])
    with pytest.raises(ClientError, match="does not exist"):
        cloudwatch.list_tags_for_resource(ResourceARN=ARN)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (without(alarm(), "Threshold"), "ValidationError"),
        (without(alarm(), "Statistic"), "ValidationError"),
        (alarm(ExtendedStatistic="p99"), "ValidationError"),
        (without(alarm(ExtendedStatistic="tm99"), "Statistic"), "ValidationError"),
        (alarm(Period=45), "ValidationError"),
        (alarm(Period=3600, EvaluationPeriods=25), "ValidationError"),
        (alarm(EvaluationPeriods=2, DatapointsToAlarm=3), "ValidationError"),
        (alarm(TreatMissingData="nonsense"), "ValidationError"),
        (alarm(AlarmActions=["arn:aws:sns:us-east-1:000000000000:topic"]), "NotImplemented"),
        (alarm(MetricName="CPUUtilization"), "NotImplemented"),
        (alarm(Namespace="AWS/EC2"), "NotImplemented"),
        (alarm(ComparisonOperator="LessThanLowerThreshold"), "NotImplemented"),
        (alarm(Dimensions=[{"Name": "EndpointName", "Value": "counts"}]), "NotImplemented"),
    ],
)
def test_what_is_no_alarm_here_is_refused(cloudwatch: Any, request_: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        cloudwatch.put_metric_alarm(**request_)
    assert caught.value.response["Error"]["Code"] == code
    assert cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_an_alarm_that_is_not_there_cannot_be_set(cloudwatch: Any) -> None:
    with pytest.raises(ClientError) as caught:
        cloudwatch.set_alarm_state(AlarmName="none", StateValue="OK", StateReason="")
    assert caught.value.response["Error"]["Code"] == "ResourceNotFound"


def _record_many(home: Home, count: int) -> None:
    for _ in range(count):
        record(home, 200)


def test_invocations_of_several_processes_are_all_counted_in_files_of_bounded_size(
    cloudwatch: Any, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(alarms, "_MOST_BYTES", 20_000)
    processes = [multiprocessing.get_context("fork").Process(target=_record_many, args=(home, 300)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    count = {"MetricName": "Invocations", "Statistic": "SampleCount"}
    cloudwatch.put_metric_alarm(**alarm(**count, ComparisonOperator="GreaterThanOrEqualToThreshold", Threshold=900.0))
    assert state(cloudwatch) == "ALARM"
    _record_many(home, 3000)
    sizes = [file.stat().st_size for file in (home.root / "metrics").rglob("*") if file.is_file()]
    assert max(sizes) < 21_000
    assert sum(sizes) < 41_000
