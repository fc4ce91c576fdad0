"""What there is in the account, as far as it has to do with what we might remove."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from pipeline.aws.cleanup.models import Key, Kind, Resource
from pipeline.aws.cleanup.planner import ALARMS, PREFIX
from pipeline.aws.errors import aws_errors, is_missing

if TYPE_CHECKING:
    import boto3

_WORKERS = 8
_ENDPOINT = "endpoint/"
Item = TypeVar("Item")
Summary = Mapping[str, Any]


@aws_errors()
def read(session: boto3.Session) -> list[Resource]:
    """Return what looks like ours by its name, and others' endpoints and configs for what they use.

    Others' are looked into only where there is something of ours that they could use. Raises UserError.
    """
    sagemaker: Any = session.client("sagemaker")
    endpoints = _listed(sagemaker, "list_endpoints", "Endpoints")
    configs = _listed(sagemaker, "list_endpoint_configs", "EndpointConfigs")
    models = [one for one in _listed(sagemaker, "list_models", "Models") if one["ModelName"].startswith(PREFIX)]
    if not models:
        configs = [one for one in configs if one["EndpointConfigName"].startswith(PREFIX)]
    alone = not any(one["EndpointConfigName"].startswith(PREFIX) for one in configs)
    return [
        *_each(endpoints, lambda one: _endpoint(sagemaker, one, alone=alone)),
        *_each(configs, lambda one: _config(sagemaker, one)),
        *_each(models, lambda one: Resource(Key(Kind.MODEL, one["ModelName"]), _tags(sagemaker, one["ModelArn"]))),
        *_scaling(session),
        *_alarms(session),
        *_schedules(session),
    ]


def _listed(client: Any, call: str, member: str, **request: str) -> list[Summary]:  # noqa: ANN401
    return [one for page in client.get_paginator(call).paginate(**request) for one in page[member]]


def _each(items: Iterable[Item], look: Callable[[Item], Resource]) -> Iterator[Resource]:
    """Look at each in turn, several at a time; what is gone by then is left out."""

    def looked(item: Item) -> Resource | None:
        try:
            return look(item)
        except ClientError as error:
            if is_missing(error):
                return None
            raise

    with ThreadPoolExecutor(_WORKERS) as pool:
        yield from (resource for resource in pool.map(looked, items) if resource is not None)


def _tags(client: Any, arn: str) -> dict[str, str]:  # noqa: ANN401
    pages = client.get_paginator("list_tags").paginate(ResourceArn=arn)
    return _pairs(tag for page in pages for tag in page["Tags"])


def _pairs(tags: Iterable[Summary]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _endpoint(client: Any, one: Summary, *, alone: bool) -> Resource:  # noqa: ANN401
    name = one["EndpointName"]
    key, ours = Key(Kind.ENDPOINT, name), name.startswith(PREFIX)
    if alone and not ours:
        return Resource(key)
    about = client.describe_endpoint(EndpointName=name)
    named = about.get("EndpointConfigName"), about.get("PendingDeploymentSummary", {}).get("EndpointConfigName")
    configs = {config for config in named if config}
    uses = {Key(Kind.CONFIG, config) for config in configs}
    # The alarms of a config watch whatever endpoint runs it.
    uses |= {Key(Kind.ALARM, f"{config}-{metric}") for config in configs for metric in ALARMS}
    tags = _tags(client, one["EndpointArn"]) if ours else {}
    return Resource(key, tags, frozenset(uses), about["EndpointStatus"])


def _config(client: Any, one: Summary) -> Resource:  # noqa: ANN401
    name = one["EndpointConfigName"]
    about = client.describe_endpoint_config(EndpointConfigName=name)
    variants = [*about["ProductionVariants"], *about.get("ShadowProductionVariants", [])]
    uses = {Key(Kind.MODEL, variant["ModelName"]) for variant in variants if "ModelName" in variant}
    tags = _tags(client, one["EndpointConfigArn"]) if name.startswith(PREFIX) else {}
    return Resource(Key(Kind.CONFIG, name), tags, frozenset(uses))


def _scaling(session: boto3.Session) -> Iterator[Resource]:
    client = session.client("application-autoscaling")
    for one in _listed(client, "describe_scalable_targets", "ScalableTargets", ServiceNamespace="sagemaker"):
        if owner := _owner(one):
            yield Resource(Key(Kind.TARGET, one["ResourceId"]), uses=frozenset({owner}))
    for one in _listed(client, "describe_scaling_policies", "ScalingPolicies", ServiceNamespace="sagemaker"):
        if owner := _owner(one):
            name = f"{one['ResourceId']}/{one['PolicyName']}"
            yield Resource(Key(Kind.POLICY, name), uses=frozenset({owner, Key(Kind.TARGET, one["ResourceId"])}))


def _owner(one: Summary) -> Key | None:
    """Return the endpoint of a scalable target or policy, where it is one of an endpoint's instances."""
    if one["ScalableDimension"] != "sagemaker:variant:DesiredInstanceCount":
        return None
    return Key(Kind.ENDPOINT, one["ResourceId"].removeprefix(_ENDPOINT).partition("/")[0])


def _alarms(session: boto3.Session) -> Iterator[Resource]:
    client = session.client("cloudwatch")
    for one in _listed(client, "describe_alarms", "MetricAlarms", AlarmNamePrefix=PREFIX):
        tags = client.list_tags_for_resource(ResourceARN=one["AlarmArn"])["Tags"]
        yield Resource(Key(Kind.ALARM, one["AlarmName"]), _pairs(tags))


def _schedules(session: boto3.Session) -> Iterator[Resource]:
    client = session.client("events")
    for one in _listed(client, "list_rules", "Rules", NamePrefix=PREFIX):
        # Rules that wait for events cost nothing and start nothing by themselves: they stay.
        if one.get("ScheduleExpression"):
            tags = client.list_tags_for_resource(ResourceARN=one["Arn"])["Tags"]
            yield Resource(Key(Kind.SCHEDULE, one["Name"]), _pairs(tags))
