"""What calls the function, as data. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.errors import RefusedError
from deploy.names import STAGING, PackageArn, Target, own_group, package_arn, target_of_endpoint

_ENDPOINT_CHANGE = "SageMaker Endpoint State Change"
_PACKAGE_CHANGE = "SageMaker Model Package State Change"


@dataclass(frozen=True)
class Deploy:
    """The pipeline's step: a version for staging."""

    package: PackageArn


@dataclass(frozen=True)
class EndpointChanged:
    """An endpoint came to rest."""

    target: Target


@dataclass(frozen=True)
class PackageChanged:
    """Somebody approved or rejected a version, perhaps: the registry says what is so."""

    package: PackageArn


@dataclass(frozen=True)
class Reconcile:
    """By hand: both stages of a group."""

    group: str


Trigger = Deploy | EndpointChanged | PackageChanged | Reconcile


def is_delivered(event: object) -> bool:
    """Whether EventBridge delivered an event: nobody reads an answer, and an error would bring it back twice."""
    return isinstance(event, Mapping) and "detail-type" in event


def parse(event: object, project: str) -> Trigger:
    """Return what an event asks for. Raises RefusedError: nothing that this function does."""
    if not isinstance(event, Mapping):
        raise RefusedError("the event is no JSON object")
    if is_delivered(event):
        return _delivered(event, project)
    if "Action" in event:
        if event["Action"] != "reconcile":
            raise RefusedError(f"no Action {str(event['Action'])[:80]!r}: there is only reconcile")
        return Reconcile(own_group(event.get("ModelPackageGroupName"), project))
    if event.get("Stage") != STAGING:
        raise RefusedError(
            f"no Stage {str(event.get('Stage'))[:80]!r}: the step deploys to {STAGING}, an approval to production"
        )
    return Deploy(_own_package(event.get("ModelPackageArn"), project))


def _delivered(event: Mapping[str, Any], project: str) -> Trigger:
    detail, kind = event.get("detail"), event["detail-type"]
    if event.get("source") != "aws.sagemaker" or not isinstance(detail, Mapping):
        raise RefusedError("the event is not one of SageMaker's")
    if kind == _ENDPOINT_CHANGE:
        return EndpointChanged(target_of_endpoint(str(detail.get("EndpointName")), project))
    if kind == _PACKAGE_CHANGE:
        return PackageChanged(_own_package(detail.get("ModelPackageArn"), project))
    raise RefusedError(f"no event {str(kind)[:80]!r} is handled here")


def _own_package(value: object, project: str) -> PackageArn:
    found = package_arn(value)
    own_group(found.group, project.lower())
    return found
