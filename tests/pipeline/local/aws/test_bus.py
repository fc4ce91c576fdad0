from __future__ import annotations

import json
import logging
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pipeline.local.aws import bus
from pipeline.local.aws.account import Account
from pipeline.local.aws.bus import emit
from pipeline.local.home import Home
from pipeline.local.store import Store

if TYPE_CHECKING:
    from tests.pipeline.local.conftest import Toy

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:bincount-deploy"
CHANGE = "SageMaker Endpoint State Change"


@pytest.fixture
def account(home: Home, store: Store, toy: Toy) -> Account:
    (toy.folder / "deploy" / "rules.json").write_text(json.dumps({"all": {"source": ["aws.sagemaker"]}}))
    return Account(home, store, lambda _home, _arn: 0)


@pytest.fixture
def events(session: boto3.Session, account: Account) -> Any:
    return session.client("events")


def test_a_target_gets_the_whole_event(account: Account, toy: Toy) -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    emit(account, CHANGE, {"EndpointName": "e", "When": moment, "Where": Path("x")}, ["arn:e"])
    (event,) = toy.events()
    assert re.fullmatch(r"[0-9a-f-]{36}", event.pop("id"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event.pop("time"))
    assert event == {
        "version": "0",
        "detail-type": CHANGE,
        "source": "aws.sagemaker",
        "account": "000000000000",
        "region": "us-east-1",
        "resources": ["arn:e"],
        "detail": {"EndpointName": "e", "When": "2026-01-02T00:00:00+00:00", "Where": "x"},
    }


def test_every_enabled_rule_that_fits_calls_its_targets(account: Account, events: Any, toy: Toy) -> None:
    events.put_rule(Name="whole", EventPattern='{"detail": {"n": [{"numeric": [">", 1]}]}}')
    events.put_targets(
        Rule="whole",
        Targets=[
            {"Id": "part", "Arn": FUNCTION, "InputPath": "$.detail.inner.x-1"},
            {"Id": "nothing", "Arn": FUNCTION, "InputPath": "$.detail.none.at.all"},
            {"Id": "constant", "Arn": FUNCTION, "Input": '{"Action": "reconcile"}'},
        ],
    )
    events.put_rule(Name="scheduled", ScheduleExpression="rate(1 hour)")
    events.put_targets(Rule="scheduled", Targets=[{"Id": "1", "Arn": FUNCTION, "Input": '"scheduled"'}])
    events.put_rule(Name="off", EventPattern='{"source": ["aws.sagemaker"]}', State="DISABLED")
    events.put_targets(Rule="off", Targets=[{"Id": "1", "Arn": FUNCTION, "Input": '"off"'}])
    emit(account, CHANGE, {"n": 1})
    emit(account, CHANGE, {"n": 2, "inner": {"x-1": [7]}})
    seen = [event["detail"]["n"] if isinstance(event, dict) and "detail" in event else event for event in toy.events()]
    assert seen == [1, 2, [7], None, {"Action": "reconcile"}]


def test_without_a_file_of_rules_nothing_is_called(account: Account, toy: Toy) -> None:
    (toy.folder / "deploy" / "rules.json").unlink()
    emit(account, CHANGE, {})
    assert toy.events() == []


def test_emit_never_raises(
    account: Account, toy: Toy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bus, "deliver", full)
    with caplog.at_level(logging.WARNING):
        emit(account, CHANGE, {})
    assert "No space left on device" in caplog.text
    assert toy.events() == []


def test_events_of_ones_own_are_delivered_and_wrong_ones_named(account: Account, events: Any, toy: Toy) -> None:
    events.put_rule(Name="mine", EventPattern='{"source": ["me"], "resources": ["arn:x"]}')
    events.put_targets(Rule="mine", Targets=[{"Id": "1", "Arn": FUNCTION}])
    good = {"Source": "me", "DetailType": "Happened", "Detail": '{"n": 1}', "Resources": ["arn:x"]}
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    answer = events.put_events(
        Entries=[
            {**good, "Time": moment},
            {**good, "Source": "aws.sagemaker"},
            {**good, "Detail": "[]"},
            {**good, "Detail": "[" * 100_000},
            {name: value for name, value in good.items() if name != "DetailType"},
        ]
    )
    assert answer["FailedEntryCount"] == 4
    codes = [entry.get("ErrorCode") for entry in answer["Entries"]]
    assert codes == [None, "NotAuthorizedForSourceException", "MalformedDetail", "MalformedDetail", "InvalidArgument"]
    (event,) = toy.events()
    assert event["id"] == answer["Entries"][0]["EventId"]
    assert (event["time"], event["detail-type"], event["detail"]) == ("2026-01-02T03:04:05Z", "Happened", {"n": 1})


def test_a_request_of_more_than_a_mebibyte_is_refused(events: Any) -> None:
    detail = json.dumps({"x": "y" * (1 << 20)})
    with pytest.raises(ClientError, match="Total size of the entries"):
        events.put_events(Entries=[{"Source": "me", "DetailType": "d", "Detail": detail}])
