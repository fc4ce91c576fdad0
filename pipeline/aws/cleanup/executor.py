"""Carrying out a plan: the only part of the clean-up that changes anything."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws.cleanup.inventory import read
from pipeline.aws.cleanup.models import Key, Kind, Plan, Removal, Result
from pipeline.aws.cleanup.planner import plan as plan_again
from pipeline.aws.endpoints import BUSY
from pipeline.aws.errors import aws_errors, code_of, is_missing, is_throttling, message_of
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

PATIENCE_SECONDS = 3600.0  # an endpoint whose container never answers stays Creating for about half an hour
_SCALING = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}

Tell = Callable[[str], None]


def execute(
    session: boto3.Session,
    plan: Plan,
    group: str | None = None,
    *,
    seconds: float = 5.0,
    patience: float = PATIENCE_SECONDS,
    tell: Tell = lambda _: None,
) -> Iterator[Result]:
    """Remove what the plan says and yield what became of each thing; one that fails stops none but what it uses.

    Endpoints take their time, and somebody may deploy meanwhile: what follows them is planned anew, and only what both
    plans name goes.

    Args:
        session: who answers.
        plan: what to remove.
        group: what it was limited to.
        seconds: between two looks at an endpoint.
        patience: seconds to wait for endpoints altogether.
        tell: gets a line whenever the state of an endpoint changes.

    Raises:
        UserError: what there is cannot be read any more.
    """
    first = [one for one in plan.removals if one.key.kind.place < Kind.ENDPOINT.place]
    endpoints = [one for one in plan.removals if one.key.kind is Kind.ENDPOINT]
    rest = [one for one in plan.removals if one.key.kind.place > Kind.ENDPOINT.place]
    for removal in first:
        # An endpoint costs money whether or not its scaling could be taken away: it does not wait for these.
        yield _remove(session, removal.key)
    yield from _remove_endpoints(session.client("sagemaker"), endpoints, seconds, patience, tell)
    if rest:
        yield from _remove_rest(session, rest, plan_again(read(session), group))


def _remove_rest(session: boto3.Session, removals: Sequence[Removal], now: Plan) -> Iterator[Result]:
    """Remove what may go by the plan of this moment too."""
    going = {one.key: one for one in now.removals}
    kept = {one.key: one.reason for one in now.kept}
    left = {key for key in going if key.kind is Kind.ENDPOINT}
    for removal in removals:
        key = removal.key
        users = sorted(going[key].after & left, key=str) if key in going else []
        if users or key in kept:
            left.add(key)
            yield Result(key, error=f"{users[0]} uses it" if users else kept[key])
        elif key not in going:
            yield Result(key, gone=True)
        else:
            result = _remove(session, key)
            left |= {key} if result.error else set()
            yield result


def _remove(session: boto3.Session, key: Key) -> Result:
    try:
        with aws_errors():
            _REMOVE[key.kind](session, key.name)
    except UserError as error:
        cause = error.__cause__
        gone = isinstance(cause, ClientError) and _is_gone(cause)
        return Result(key, gone=gone, error=None if gone else str(error))
    return Result(key)


def _is_gone(error: ClientError) -> bool:
    scaling = "No scalable target found", "No scaling policy found"
    return is_missing(error) or code_of(error) == "ObjectNotFoundException" or message_of(error).startswith(scaling)


def _remove_endpoints(
    client: Any,  # noqa: ANN401
    removals: Sequence[Removal],
    seconds: float,
    patience: float,
    tell: Tell,
) -> Iterator[Result]:
    """Ask for the deletion of each as soon as it takes the request, and wait until none is there."""
    waiting: dict[str, str] = {one.key.name: "" for one in removals}
    deadline = time.monotonic() + patience
    while waiting:
        for name, before in list(waiting.items()):
            key = Key(Kind.ENDPOINT, name)
            try:
                with aws_errors():
                    status = _push(client, name)
            except UserError as error:
                del waiting[name]
                yield Result(key, error=str(error))
                continue
            if status is None:
                del waiting[name]
                yield Result(key, gone=not before)
            elif status != before:
                waiting[name] = status
                tell(f"{key} is {status}")
        if waiting and time.monotonic() > deadline:
            break
        if waiting:
            time.sleep(seconds)
    for name, status in waiting.items():
        later = f"it is still {status}: `bincount cleanup` again, once it is not"
        yield Result(Key(Kind.ENDPOINT, name), error=later)


def _push(client: Any, name: str) -> str | None:  # noqa: ANN401
    """Return the endpoint's status, Deleting if this began it, or None where there is none."""
    try:
        status = str(client.describe_endpoint(EndpointName=name)["EndpointStatus"])
        if status not in BUSY:
            client.delete_endpoint(EndpointName=name)
            return "Deleting"
    except ClientError as error:
        if is_missing(error):
            return None
        if "in-progress" in message_of(error) or is_throttling(error):
            return "busy"
        raise
    return status


def _schedule(session: boto3.Session, name: str) -> None:
    client = session.client("events")
    pages = client.get_paginator("list_targets_by_rule").paginate(Rule=name)
    if targets := [target["Id"] for page in pages for target in page["Targets"]]:
        failed = client.remove_targets(Rule=name, Ids=targets)["FailedEntries"]
        if failed:
            raise UserError(f"its targets cannot be removed: {failed[0].get('ErrorMessage', '')}")
    client.delete_rule(Name=name)


def _policy(session: boto3.Session, name: str) -> None:
    *resource, policy = name.split("/", 4)
    client: Any = session.client("application-autoscaling")
    client.delete_scaling_policy(PolicyName=policy, ResourceId="/".join(resource), **_SCALING)


def _target(session: boto3.Session, name: str) -> None:
    client: Any = session.client("application-autoscaling")
    client.deregister_scalable_target(ResourceId=name, **_SCALING)


_REMOVE: dict[Kind, Callable[[boto3.Session, str], object]] = {
    Kind.SCHEDULE: _schedule,
    Kind.POLICY: _policy,
    Kind.TARGET: _target,
    Kind.ALARM: lambda session, name: session.client("cloudwatch").delete_alarms(AlarmNames=[name]),
    Kind.CONFIG: lambda session, name: session.client("sagemaker").delete_endpoint_config(EndpointConfigName=name),
    Kind.MODEL: lambda session, name: session.client("sagemaker").delete_model(ModelName=name),
}
