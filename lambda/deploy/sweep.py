"""Removing what served before: configs, models and alarms of an endpoint that nothing needs any more.

Never what the endpoint uses, nor what the version needs that should be there, nor anything without this function's
name pattern and tags.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from deploy import endpoints
from deploy.errors import is_missing, message_of
from deploy.log import log
from deploy.names import Target
from deploy.plan import BUSY

if TYPE_CHECKING:
    from deploy.environment import Environment


def sweep(environment: Environment, target: Target, wanted: Callable[[], Iterable[str]]) -> list[str]:
    """Remove what is left over, and return its names.

    Args:
        environment: whose account.
        target: the endpoint, which may be gone.
        wanted: returns the names of models and configs that the desired version needs. It is called after everything
            was listed: whoever made a config that is in the list had noted before which version it is for.
    """
    configs = _listed(environment, target, "list_endpoint_configs", "EndpointConfigs", "EndpointConfig")
    models = _listed(environment, target, "list_models", "Models", "Model")
    alarms = _alarms(environment, target)
    if not (configs or models or alarms):
        return []
    endpoint = endpoints.describe(environment, target)
    if endpoint is not None and endpoint.status in BUSY:
        return []  # somebody began an update, from or to one of these
    used = set(wanted()) | ({endpoint.config} if endpoint else set())
    used |= _models_of(environment, used & set(configs))
    remove = environment.sagemaker
    gone = [
        *_remove(environment, configs, used, lambda name: remove.delete_endpoint_config(EndpointConfigName=name)),
        *_remove(environment, models, used, lambda name: remove.delete_model(ModelName=name)),
    ]
    for alarm in [name for name in alarms if target.config_of_alarm(name) not in used]:
        environment.cloudwatch.delete_alarms(AlarmNames=[alarm])
        gone.append(alarm)
    if gone:
        log("swept", endpoint=target.endpoint, names=gone)
    return gone


def _listed(environment: Environment, target: Target, operation: str, member: str, kind: str) -> dict[str, str]:
    """Return names and ARNs of what this function made for the endpoint."""
    pages = environment.sagemaker.get_paginator(operation).paginate(NameContains=f"{target.endpoint}-v")  # type: ignore[call-overload]
    found = {one[f"{kind}Name"]: one[f"{kind}Arn"] for page in pages for one in page[member]}
    return {name: arn for name, arn in found.items() if target.version_of(name) is not None}


def _alarms(environment: Environment, target: Target) -> list[str]:
    pages = environment.cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{target.endpoint}-v")
    names = [alarm["AlarmName"] for page in pages for alarm in page.get("MetricAlarms", [])]
    return [name for name in names if target.config_of_alarm(name) is not None]


def _models_of(environment: Environment, configs: Iterable[str]) -> set[str]:
    names = set()
    for config in configs:
        try:
            found = environment.sagemaker.describe_endpoint_config(EndpointConfigName=config)
        except ClientError as error:
            if not is_missing(error):
                raise
            continue
        names |= {variant["ModelName"] for variant in found["ProductionVariants"] if "ModelName" in variant}
    return names


def _remove(
    environment: Environment, listed: dict[str, str], used: set[str], remove: Callable[[str], object]
) -> list[str]:
    gone = []
    for name, arn in listed.items():
        if name in used:
            continue
        try:
            if endpoints.tags_of(environment, arn).get("project") != environment.project:
                continue
            remove(name)
        except ClientError as error:
            # Removed by another caller, or in use after all: the next call looks again.
            log("not-swept", name=name, reason=message_of(error))
        else:
            gone.append(name)
    return gone
