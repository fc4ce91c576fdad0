"""The events that alarms raise when their state changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipeline.local.aws import bus
from pipeline.local.aws.account import Account


def announce(account: Account, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """Tell the bus that an alarm went from one state into another, in the shape of the service's event."""
    detail = {
        "alarmName": after["AlarmName"],
        "configuration": {
            "description": after.get("AlarmDescription", ""),
            "metrics": [{"id": "m1", "metricStat": _metric(after), "returnData": True}],
        },
        "previousState": _state(before),
        "state": _state(after),
    }
    bus.emit(account, "CloudWatch Alarm State Change", detail, [after["AlarmArn"]], source="aws.cloudwatch")


def _metric(alarm: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "metric": {
            "dimensions": {one["Name"]: one["Value"] for one in alarm.get("Dimensions", [])},
            "name": alarm["MetricName"],
            "namespace": alarm["Namespace"],
        },
        "period": alarm["Period"],
        "stat": alarm.get("Statistic") or alarm["ExtendedStatistic"],
    }


def _state(alarm: Mapping[str, Any]) -> dict[str, str]:
    moment = datetime.fromtimestamp(alarm["StateUpdatedTimestamp"], UTC)
    return {
        "reason": alarm["StateReason"],
        "reasonData": json.dumps({"version": "1.0"}),
        "timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}+0000",
        "value": alarm["StateValue"],
    }
