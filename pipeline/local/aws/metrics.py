"""CloudWatch: metrics that functions put, and the alarm that the template makes on those of the drift function."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from pipeline.local import functions
from pipeline.local.aws import custom_metrics
from pipeline.local.aws.account import Account
from pipeline.local.aws.alarms import KIND as ALARM
from pipeline.local.aws.alarms import evaluated, put_metric_alarm
from pipeline.local.aws.answers import Request, ServiceError, operation, refuse

_GROUP = "ModelPackageGroupName"
_OLDEST, _NEWEST = 14 * 86_400, 2 * 3600  # seconds before and after now that a datum may be of


@operation("cloudwatch", "PutMetricData")
def put_metric_data(account: Account, request: Request) -> None:
    """Keep values, and evaluate at once the alarms that look at them."""
    refuse(request, "EntityMetricData", "StrictEntityValidation")
    namespace, data = request["Namespace"], request.get("MetricData", [])
    if not custom_metrics.is_custom(namespace):
        raise _wrong("The value AWS/ for parameter Namespace is invalid.")
    points = [_point(account, datum) for datum in data]
    for datum, point in zip(data, points, strict=True):
        _template_alarm(account, namespace, datum)
        custom_metrics.add(account, namespace, datum, point)
    for alarm in account.store.find(ALARM):
        if custom_metrics.watches(alarm, namespace, data):
            evaluated(account, alarm)


def _point(account: Account, datum: Mapping[str, Any]) -> tuple[float, float]:
    refuse(datum, "StatisticValues", "Values", "Counts", "StorageResolution")
    value, now = datum.get("Value"), account.now()
    if value is None or not math.isfinite(value):
        raise _wrong(f"The value {value} for parameter MetricData.member.Value is invalid.")
    time = datum.get("Timestamp", now)
    if not now - _OLDEST <= time <= now + _NEWEST:
        raise _wrong("The parameter MetricData.member.Timestamp must be of the past two weeks or the next two hours.")
    return float(time), float(value)


def _wrong(message: str) -> ServiceError:
    return ServiceError("InvalidParameterValue", message)


def _template_alarm(account: Account, namespace: str, datum: Mapping[str, Any]) -> None:
    """Make the alarm of `lambda/drift/alarm.json` for a group whose first figures come, as the template has made it."""
    try:
        alarm = json.loads((functions.FOLDER / "drift" / "alarm.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    dimensions = {one["Name"]: one["Value"] for one in datum.get("Dimensions", [])}
    ours = (namespace, datum["MetricName"], set(dimensions)) == (alarm["Namespace"], alarm["MetricName"], {_GROUP})
    name = f"{dimensions.get(_GROUP)}-drift"
    if ours and account.store.get(ALARM, name) is None:
        put_metric_alarm(account, {**alarm, "AlarmName": name, "Dimensions": datum["Dimensions"]})
