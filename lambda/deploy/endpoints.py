"""The calls that make, change and delete an endpoint, and what stands for it that exists already.

Callers collide, and the service is not consistent at once: what exists already is as good as made, what is not found
right after it was made is looked for again, and an endpoint under way belongs to whoever got there first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from deploy import blueprint as blueprints
from deploy import scaling
from deploy.blueprint import Blueprint
from deploy.errors import exists_already, is_busy, is_missing, is_transient, message_of
from deploy.log import log
from deploy.names import VARIANT, Target
from deploy.plan import Endpoint

if TYPE_CHECKING:
    from deploy.environment import Environment

_PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds in which the service comes to know what was just made


class CollisionError(Exception):
    """Somebody else is changing the endpoint: an event follows when they are done."""


class DeclinedError(Exception):
    """The service does not take a request, nor will it later; the message is the service's."""


def describe(environment: Environment, target: Target) -> Endpoint | None:
    """Return the endpoint; None when there is none."""
    try:
        found = environment.sagemaker.describe_endpoint(EndpointName=target.endpoint)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    return Endpoint(found["EndpointStatus"], found.get("EndpointConfigName", ""), found.get("FailureReason", ""))


def create(environment: Environment, blueprint: Blueprint, sleep: Callable[[float], None] = time.sleep) -> None:
    """Start an endpoint. Raises CollisionError, DeclinedError."""
    target, version = blueprint.target, blueprint.package.version
    request: dict[str, Any] = {
        "EndpointName": target.endpoint,
        "EndpointConfigName": blueprint.config_name,
        "Tags": target.tags(version, environment.project),
    }
    _apply(environment, blueprint, lambda: environment.sagemaker.create_endpoint(**request), sleep)


def update(
    environment: Environment, blueprint: Blueprint, current: str, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Start to replace what an endpoint serves, config `current`. Raises CollisionError, DeclinedError."""
    target = blueprint.target
    scaled = scaling.target(environment, target) is not None
    if scaled and _instance_type(environment, current) != blueprint.instance_type:
        scaling.deregister(environment, target)  # the service refuses another type while it scales
        scaled = False
    if target.is_production:
        for alarm in blueprints.alarms(blueprint, environment.project):
            environment.cloudwatch.put_metric_alarm(**alarm)
    request = blueprints.update(blueprint, scaled=scaled)
    _apply(environment, blueprint, lambda: environment.sagemaker.update_endpoint(**request), sleep)


def delete(environment: Environment, target: Target) -> None:
    """Start to delete an endpoint, which then no longer scales. Raises CollisionError."""
    scaling.deregister(environment, target)
    try:
        environment.sagemaker.delete_endpoint(EndpointName=target.endpoint)
    except ClientError as error:
        if is_busy(error):
            raise CollisionError(message_of(error)) from None
        if not is_missing(error):
            raise


def tag(environment: Environment, target: Target, version: int) -> None:
    """Let the endpoint's tags name the version that it serves."""
    arn = environment.sagemaker.describe_endpoint(EndpointName=target.endpoint)["EndpointArn"]
    wanted = target.tags(version, environment.project)
    found = tags_of(environment, arn)
    if any(found.get(one["Key"]) != one["Value"] for one in wanted):
        environment.sagemaker.add_tags(ResourceArn=arn, Tags=wanted)  # type: ignore[arg-type]


def tags_of(environment: Environment, arn: str) -> dict[str, str]:
    """Return a resource's tags."""
    pages = environment.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    return {one["Key"]: one["Value"] for page in pages for one in page["Tags"]}


def _apply(
    environment: Environment, blueprint: Blueprint, change: Callable[[], object], sleep: Callable[[float], None]
) -> None:
    """Make model and config, then change the endpoint; again while the service does not know them yet."""
    for pause in (*_PAUSES, None):
        try:
            _make(lambda: environment.sagemaker.create_model(**blueprint.model))
            _make(lambda: environment.sagemaker.create_endpoint_config(**blueprint.config))
            change()
        except ClientError as error:
            if exists_already(error) or is_busy(error):
                raise CollisionError(message_of(error)) from None
            if is_transient(error):
                raise
            if not _is_not_known_yet(error) or pause is None:
                raise DeclinedError(message_of(error)) from None
            log("not-known-yet", endpoint=blueprint.target.endpoint, reason=message_of(error))
            sleep(pause)
        else:
            return


def _make(call: Callable[[], object]) -> None:
    try:
        call()
    except ClientError as error:
        if not exists_already(error):
            raise


def _is_not_known_yet(error: ClientError) -> bool:
    return message_of(error).startswith(("Could not find model", "Could not find endpoint configuration"))


def _instance_type(environment: Environment, config: str) -> str | None:
    try:
        found = environment.sagemaker.describe_endpoint_config(EndpointConfigName=config)
    except ClientError as error:
        if is_missing(error):
            return None
        raise
    variants = [one for one in found["ProductionVariants"] if one["VariantName"] == VARIANT]
    return variants[0].get("InstanceType") if variants else None
