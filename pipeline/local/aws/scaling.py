"""Application Auto Scaling: what may scale and how, kept and checked.

Nothing scales here: a local variant has the servers that it was deployed with.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from pipeline.local.aws.account import ACCOUNT, REGION, Account
from pipeline.local.aws.answers import (
    Answer,
    Request,
    ServiceError,
    invalid,
    members,
    not_local,
    operation,
    public,
    refuse,
)
from pipeline.local.aws.paging import page

TARGET = "scalable-target"
POLICY = "scaling-policy"
_DIMENSION = "sagemaker:variant:DesiredInstanceCount"
_RESOURCE = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
_ROLE = (
    f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)
_PREFIX = f"arn:aws:application-autoscaling:{REGION}:{ACCOUNT}"


def _only_endpoints(request: Request) -> None:
    if request["ServiceNamespace"] != "sagemaker":
        raise not_local(f"Scaling of {request['ServiceNamespace']}")
    if request.get("ScalableDimension", _DIMENSION) != _DIMENSION:
        raise invalid(f"Unsupported service namespace, resource type or scalable dimension: {request}")


def _find_target(account: Account, request: Request) -> dict[str, Any]:
    found = account.store.get(TARGET, request["ResourceId"])
    if found is None:
        what = f"service namespace: sagemaker, resource ID: {request['ResourceId']}, scalable dimension: {_DIMENSION}"
        raise ServiceError("ObjectNotFoundException", f"No scalable target found for {what}")
    return found


@operation("application-autoscaling", "RegisterScalableTarget")
def register_scalable_target(account: Account, request: Request) -> Answer:
    """Keep between how many instances an endpoint's variant may scale; a second call changes what it names."""
    _only_endpoints(request)
    refuse(request, "SuspendedState", "RoleARN")
    resource = request["ResourceId"]
    _require_variant(account, resource)
    older = account.store.get(TARGET, resource) or {}
    target = {**older, **members(request, "MinCapacity", "MaxCapacity")}
    if "MinCapacity" not in target or "MaxCapacity" not in target:
        raise invalid("MinCapacity and MaxCapacity must be provided when registering a new scalable target")
    if not 0 <= target["MinCapacity"] <= target["MaxCapacity"]:
        raise invalid("Maximum capacity cannot be less than minimum capacity")
    arn = f"{_PREFIX}:scalable-target/{hashlib.sha256(resource.encode()).hexdigest()[:28]}"
    target |= {
        "ServiceNamespace": "sagemaker",
        "ResourceId": resource,
        "ScalableDimension": _DIMENSION,
        "RoleARN": _ROLE,
        "CreationTime": older.get("CreationTime", account.now()),
        "ScalableTargetARN": arn,
        "_tags": {**older.get("_tags", {}), **request.get("Tags", {})},
    }
    _put(account, TARGET, resource, target)
    return {"ScalableTargetARN": arn}


def _put(account: Account, kind: str, id: str, document: dict[str, Any]) -> None:
    with account.store.transaction() as transaction:
        transaction.delete(kind, id)
        transaction.create(kind, id, document)


def _require_variant(account: Account, resource: str) -> None:
    found = _RESOURCE.fullmatch(resource)
    endpoint = account.store.get("endpoint", found[1]) if found else None
    variants = (endpoint or {}).get("ProductionVariants", [])
    if found is None or not any(variant["VariantName"] == found[2] for variant in variants):
        raise invalid(f"The resource ID {resource} is no variant of an endpoint: endpoint/NAME/variant/NAME")


@operation("application-autoscaling", "DeregisterScalableTarget")
def deregister_scalable_target(account: Account, request: Request) -> None:
    """Forget a target and its policies."""
    _only_endpoints(request)
    resource = _find_target(account, request)["ResourceId"]
    for policy in account.store.find(POLICY):
        if policy["ResourceId"] == resource:
            account.store.delete(POLICY, policy["PolicyARN"])
    account.store.delete(TARGET, resource)


@operation("application-autoscaling", "DescribeScalableTargets")
def describe_scalable_targets(account: Account, request: Request) -> Answer:
    """Answer the targets, oldest first."""
    targets = account.store.find(TARGET)
    asked = request.get("ResourceIds") or [target["ResourceId"] for target in targets]
    listed = [target for target in targets if target["ResourceId"] in asked]
    return page(_of(listed, request), request, "ScalableTargets", "ResourceId", public)


def _of(documents: list[dict[str, Any]], request: Request) -> list[dict[str, Any]]:
    dimension = request.get("ScalableDimension", _DIMENSION)
    return documents if request["ServiceNamespace"] == "sagemaker" and dimension == _DIMENSION else []


@operation("application-autoscaling", "PutScalingPolicy")
def put_scaling_policy(account: Account, request: Request) -> Answer:
    """Keep a target tracking policy of a registered target, in place of an older one of its name."""
    _only_endpoints(request)
    if request.get("PolicyType", "TargetTrackingScaling") != "TargetTrackingScaling":
        raise not_local(f"PolicyType {request['PolicyType']}")
    if "TargetTrackingScalingPolicyConfiguration" not in request:
        raise invalid("TargetTrackingScalingPolicyConfiguration must be given")
    resource = _find_target(account, request)["ResourceId"]
    name = request["PolicyName"]
    digest = hashlib.sha256(f"{resource} {name}".encode()).hexdigest()[:32]
    arn = f"{_PREFIX.replace('application-autoscaling', 'autoscaling')}:scalingPolicy:{digest}"
    arn += f":resource/sagemaker/{resource}:policyName/{name}"
    policy = {
        **members(request, "PolicyName", "ServiceNamespace", "TargetTrackingScalingPolicyConfiguration"),
        "PolicyARN": arn,
        "PolicyType": "TargetTrackingScaling",
        "ResourceId": resource,
        "ScalableDimension": _DIMENSION,
        "Alarms": [],
        "CreationTime": (account.store.get(POLICY, arn) or {}).get("CreationTime", account.now()),
    }
    _put(account, POLICY, arn, policy)
    return {"PolicyARN": arn, "Alarms": []}


@operation("application-autoscaling", "DeleteScalingPolicy")
def delete_scaling_policy(account: Account, request: Request) -> None:
    """Remove a policy."""
    _only_endpoints(request)
    for policy in account.store.find(POLICY):
        if (policy["ResourceId"], policy["PolicyName"]) == (request["ResourceId"], request["PolicyName"]):
            account.store.delete(POLICY, policy["PolicyARN"])
            return
    raise ServiceError("ObjectNotFoundException", f"No scaling policy found: {request['PolicyName']}")


@operation("application-autoscaling", "DescribeScalingPolicies")
def describe_scaling_policies(account: Account, request: Request) -> Answer:
    """Answer the policies, oldest first."""
    policies = account.store.find(POLICY)
    names = request.get("PolicyNames") or [policy["PolicyName"] for policy in policies]
    listed = [
        policy
        for policy in policies
        if policy["PolicyName"] in names and request.get("ResourceId") in {None, policy["ResourceId"]}
    ]
    return page(_of(listed, request), request, "ScalingPolicies", "PolicyARN", public)
