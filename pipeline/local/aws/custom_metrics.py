"""The newest datapoints of metrics that functions put: what PutMetricData got, for alarms to look at."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.local.aws.account import Account

_KIND = "metric"
_MOST = 1000  # points of a metric that are kept


def is_custom(namespace: str) -> bool:
    """Say whether a namespace is one that anybody may put metrics into."""
    return not namespace.startswith("AWS/")


def add(account: Account, namespace: str, datum: Mapping[str, Any], point: tuple[float, float]) -> None:
    """Keep a point, (time, value), of the metric that a MetricDatum or an alarm names."""
    name = _id(namespace, datum)
    with account.store.transaction() as transaction:
        older = (transaction.get(_KIND, name) or {"points": []})["points"]
        transaction.delete(_KIND, name)
        transaction.create(_KIND, name, {"points": [*older, list(point)][-_MOST:]})


def samples(account: Account, alarm: Mapping[str, Any]) -> list[tuple[float, float]]:
    """Return the points, (time, value), of the metric that an alarm looks at."""
    kept = account.store.get(_KIND, _id(alarm["Namespace"], alarm)) or {"points": []}
    return [(time, value) for time, value in kept["points"]]


def watches(alarm: Mapping[str, Any], namespace: str, data: Iterable[Mapping[str, Any]]) -> bool:
    """Say whether an alarm looks at one of these metrics."""
    return _id(alarm["Namespace"], alarm) in {_id(namespace, datum) for datum in data}


def _id(namespace: str, named: Mapping[str, Any]) -> str:
    dimensions = sorted((one["Name"], one["Value"]) for one in named.get("Dimensions", []))
    return json.dumps([namespace, named["MetricName"], dimensions])
