"""CloudWatch: alarms on what endpoints answered, from the invocations recorded here, and on what functions put."""

from __future__ import annotations

import fcntl
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.local.aws import custom_metrics
from pipeline.local.aws.account import ACCOUNT, REGION, Account
from pipeline.local.aws.alarm_evaluation import COMPARISONS, datapoints, state_of
from pipeline.local.aws.answers import Answer, Request, ServiceError, members, not_local, operation, public, refuse
from pipeline.local.aws.paging import page
from pipeline.local.aws.tags import put_tags, read_tags
from pipeline.local.home import Home

KIND = "alarm"
_MOST_BYTES = 1 << 20  # of a file of invocations, about 40,000 of them; there is one older file at most
_METRICS = {"Invocations", "Invocation4XXErrors", "Invocation5XXErrors", "ModelLatency"}
_PERCENTILE = re.compile(r"p(100|\d{1,2}(\.\d{1,10})?)")
_DAY_SECONDS = 86_400


def alarm_arn(name: str) -> str:
    """Return the ARN of an alarm."""
    return f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}"


def record_invocation(home: Home, endpoint: str, variant: str, config: str, status: int, microseconds: float) -> None:
    """Record how an invocation of an endpoint ended.

    Args:
        home: the local account.
        endpoint: the endpoint's name.
        variant: the variant that answered.
        config: the endpoint config that its server belongs to.
        status: the HTTP status of the model's answer.
        microseconds: how long the model took.
    """
    path = _folder(home, endpoint) / config / variant
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="ascii") as file:
        file.write(f"{time.time():.6f} {status} {microseconds:.0f}\n")  # one write: lines of two processes do not mix
        file.flush()
        full = file.tell() > _MOST_BYTES
    if full:
        _roll(path)


def _folder(home: Home, endpoint: str) -> Path:
    return home.root / "metrics" / endpoint


def _roll(path: Path) -> None:
    with _locked(path, fcntl.LOCK_EX):
        if path.exists() and path.stat().st_size > _MOST_BYTES:  # else another process did it meanwhile
            path.replace(path.with_name(f"{path.name}.older"))


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[None]:
    with path.with_name(f"{path.name}.lock").open("a") as lock:
        fcntl.flock(lock, kind)
        yield


def _samples(account: Account, alarm: Mapping[str, Any]) -> Iterable[tuple[float, float]]:
    if custom_metrics.is_custom(alarm["Namespace"]):
        return custom_metrics.samples(account, alarm)
    return _invocations(account.home, alarm)


def _invocations(home: Home, alarm: Mapping[str, Any]) -> Iterator[tuple[float, float]]:
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
    configs, variant = dimensions.get("EndpointConfigName", "*"), dimensions["VariantName"]
    for path in _folder(home, dimensions["EndpointName"]).glob(f"{configs}/{variant}"):
        with _locked(path, fcntl.LOCK_SH):
            files = [file for file in (path, path.with_name(f"{variant}.older")) if file.exists()]
            lines = "".join(file.read_text(encoding="ascii") for file in files).splitlines()
        for moment, status, microseconds in map(str.split, lines):
            yield float(moment), _value(alarm["MetricName"], int(status), float(microseconds))


def _value(metric: str, status: int, microseconds: float) -> float:
    if metric == "ModelLatency":
        return microseconds
    first = {"Invocation4XXErrors": 4, "Invocation5XXErrors": 5}.get(metric)
    return float(first is None or status // 100 == first)


def alarm_state(account: Account, name: str) -> str:
    """Return an alarm's state now: OK, ALARM or INSUFFICIENT_DATA, the last also for an alarm that does not exist."""
    alarm = account.store.get(KIND, name)
    return "INSUFFICIENT_DATA" if alarm is None else str(evaluated(account, alarm)["StateValue"])


def evaluated(account: Account, alarm: dict[str, Any]) -> dict[str, Any]:
    """Return an alarm in the state that it has now, and keep that state. What SetAlarmState put stays for a period."""
    now = account.now()
    if now < alarm.get("_set_until", 0.0):
        return alarm
    points = datapoints(_samples(account, alarm), alarm, now)
    state = state_of(points, alarm, alarm["StateValue"])
    if state == alarm["StateValue"]:
        return alarm
    reason = f"{alarm['MetricName']} {points}, newest first, against the threshold {alarm['Threshold']:g}"
    return _change(account, alarm, _in_state(state, reason[:1023], now))


def _change(account: Account, alarm: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Put an alarm into another state and tell the bus, unless somebody else did meanwhile."""
    name, after = alarm["AlarmName"], {**alarm, **changes}
    with account.store.transaction() as transaction:
        before = transaction.get(KIND, name)
        if before is None:  # deleted while its samples were read
            return after
        after = transaction.update(KIND, name, **changes)
    if before["StateValue"] != after["StateValue"]:
        from pipeline.local.aws.alarm_events import announce

        announce(account, before, after)
    return after


def _in_state(state: str, reason: str, now: float) -> dict[str, Any]:
    return {
        "StateValue": state,
        "StateReason": reason,
        "StateUpdatedTimestamp": now,
        "StateTransitionedTimestamp": now,
    }


@operation("cloudwatch", "PutMetricAlarm")
def put_metric_alarm(account: Account, request: Request) -> None:
    """Keep an alarm, in place of an older one of its name but for the state that it is in."""
    _check(request)
    name, now = request["AlarmName"], account.now()
    begin = _in_state("INSUFFICIENT_DATA", "Unchecked: Initial alarm creation", now)
    document = {
        "ActionsEnabled": True,
        "OKActions": [],
        "AlarmActions": [],
        "InsufficientDataActions": [],
        **members(request, *(set(request) - {"Tags"})),
        "AlarmArn": alarm_arn(name),
        "AlarmConfigurationUpdatedTimestamp": now,
    }
    with account.store.transaction() as transaction:
        older = transaction.get(KIND, name)
        transaction.delete(KIND, name)
        transaction.create(KIND, name, document | members(older or begin, *begin))
    if older is None:
        put_tags(account, alarm_arn(name), request.get("Tags", []))


def _check(request: Request) -> None:
    """Refuse what an alarm here has not, or what is no alarm."""
    refuse(request, "Metrics", "ThresholdMetricId", "EvaluationCriteria", "EvaluationWindow", "EvaluationInterval")
    refuse(request, "WarmUpConfiguration", "ActionConfiguration", "Unit")
    for member in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        if request.get(member):
            raise not_local(f"{member} of an alarm")
    for member in ("MetricName", "Namespace", "Period", "EvaluationPeriods", "Threshold", "ComparisonOperator"):
        if request.get(member) is None:
            raise _wrong(f"The parameter {member} is required.")
    if request["ComparisonOperator"] not in COMPARISONS:
        raise not_local(f"ComparisonOperator {request['ComparisonOperator']}")
    if not custom_metrics.is_custom(request["Namespace"]):
        _check_invocations(request)
    _check_statistic(request)


def _check_invocations(request: Request) -> None:
    if request["Namespace"] != "AWS/SageMaker" or request["MetricName"] not in _METRICS:
        raise not_local(f"The metric {request['Namespace']} {request['MetricName']}")
    names = {dimension["Name"] for dimension in request.get("Dimensions", [])}
    if not {"EndpointName", "VariantName"} <= names <= {"EndpointName", "VariantName", "EndpointConfigName"}:
        raise not_local("An alarm without the dimensions EndpointName and VariantName, or with others than these")


def _check_statistic(request: Request) -> None:
    extended = request.get("ExtendedStatistic")
    if (request.get("Statistic") is None) == (extended is None):
        raise _wrong("Exactly one of Statistic and ExtendedStatistic must be given.")
    if extended is not None and not _PERCENTILE.fullmatch(extended):
        raise _wrong(f"The value {extended} for parameter ExtendedStatistic is not supported.")
    if request.get("EvaluateLowSampleCountPercentile", "evaluate") != "evaluate":
        raise not_local("EvaluateLowSampleCountPercentile other than evaluate")
    period, periods = request["Period"], request["EvaluationPeriods"]
    if period not in {10, 20, 30} and period % 60:
        raise _wrong("Period must be 10, 20, 30 or a multiple of 60")
    if period * periods > _DAY_SECONDS:
        raise _wrong("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).")
    if request.get("DatapointsToAlarm", 1) > periods:
        raise _wrong("DatapointsToAlarm must be less than or equal to EvaluationPeriods")
    if request.get("TreatMissingData", "missing") not in {"missing", "ignore", "breaching", "notBreaching"}:
        raise _wrong(f"The value {request['TreatMissingData']} for parameter TreatMissingData is not supported.")


def _wrong(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)


@operation("cloudwatch", "DescribeAlarms")
def describe_alarms(account: Account, request: Request) -> Answer:
    """Answer alarms by name, in the states that they have now."""
    refuse(request, "ChildrenOfAlarmName", "ParentsOfAlarmName", "ActionPrefix")
    if "AlarmNames" in request and "AlarmNamePrefix" in request:
        raise _wrong("AlarmNamePrefix and AlarmNames cannot both be given")
    metric_alarms = "MetricAlarm" in (request.get("AlarmTypes") or ["MetricAlarm"])
    stored = sorted(account.store.find(KIND), key=lambda alarm: str(alarm["AlarmName"])) if metric_alarms else []
    asked = request.get("AlarmNames") or [alarm["AlarmName"] for alarm in stored]
    prefix = request.get("AlarmNamePrefix", "")
    now = [
        evaluated(account, alarm)
        for alarm in stored
        if alarm["AlarmName"] in asked and alarm["AlarmName"].startswith(prefix)
    ]
    listed = [alarm for alarm in now if request.get("StateValue") in {None, alarm["StateValue"]}]
    size = {"MaxResults": request.get("MaxRecords", 50)}
    return {"CompositeAlarms": [], **page(listed, {**request, **size}, "MetricAlarms", "AlarmName", public)}


@operation("cloudwatch", "DeleteAlarms")
def delete_alarms(account: Account, request: Request) -> None:
    """Remove alarms; those that are not there are no error."""
    for name in request["AlarmNames"]:
        account.store.delete(KIND, name)
        account.store.delete("tags", alarm_arn(name))


@operation("cloudwatch", "SetAlarmState")
def set_alarm_state(account: Account, request: Request) -> None:
    """Put an alarm into a state for one of its periods, after which it is evaluated again."""
    alarm, now = _find(account, request["AlarmName"]), account.now()
    changes = _in_state(request["StateValue"], request["StateReason"], now)
    _change(account, alarm, {**changes, "_set_until": now + alarm["Period"]})


def _find(account: Account, name: str) -> dict[str, Any]:
    found = account.store.get(KIND, name)
    if found is None:
        raise ServiceError("ResourceNotFound", f"Alarm {name} does not exist", 404)
    return found


@operation("cloudwatch", "TagResource")
def tag_resource(account: Account, request: Request) -> None:
    """Add tags to an alarm."""
    put_tags(account, _tagged(account, request), request["Tags"])


@operation("cloudwatch", "ListTagsForResource")
def list_tags_for_resource(account: Account, request: Request) -> Answer:
    """Answer the tags of an alarm."""
    return {"Tags": read_tags(account, _tagged(account, request))}


def _tagged(account: Account, request: Request) -> str:
    arn: str = request["ResourceARN"]
    name = arn.removeprefix(alarm_arn(""))
    if account.store.get(KIND, name) is None:
        raise ServiceError("ResourceNotFoundException", f"{arn} does not exist", 404)
    return arn
