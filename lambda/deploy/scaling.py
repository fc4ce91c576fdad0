"""Autoscaling of a production endpoint: a scalable target and one policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from deploy.errors import is_missing
from deploy.names import VARIANT, Target
from deploy.options import Options

if TYPE_CHECKING:
    from deploy.environment import Environment

_SCALE_IN_SECONDS, _SCALE_OUT_SECONDS = 300, 60  # between one step and the next


def target(environment: Environment, of: Target) -> dict[str, Any] | None:
    """Return an endpoint's scalable target; None when it does not scale."""
    found = environment.autoscaling.describe_scalable_targets(
        ServiceNamespace="sagemaker",
        ResourceIds=[_resource(of)],
        ScalableDimension="sagemaker:variant:DesiredInstanceCount",
    )
    return next((dict(one) for one in found["ScalableTargets"]), None)


def deregister(environment: Environment, of: Target) -> None:
    """Stop scaling, policies included; nothing happens where there was none."""
    if target(environment, of) is None:
        return
    try:
        environment.autoscaling.deregister_scalable_target(**_where(of))
    except ClientError as error:
        if not is_missing(error):
            raise


def ensure(environment: Environment, of: Target, options: Options) -> str | None:
    """Make scaling what a version's options say; return what was done, None when it was so already."""
    there = target(environment, of)
    if not options.scales:
        if there is None:
            return None
        deregister(environment, of)
        return "deregistered"
    wanted: dict[str, Any] = {"MinCapacity": options.instance_count, "MaxCapacity": options.max_instance_count}
    changed = there is None or any(there.get(name) != value for name, value in wanted.items())
    if changed:
        # Tags are taken of a new target only.
        tags: dict[str, Any] = {"Tags": _tags(environment, of)} if there is None else {}
        environment.autoscaling.register_scalable_target(**_where(of), **wanted, **tags)
    if not _has_policy(environment, of, options):
        environment.autoscaling.put_scaling_policy(**_policy(of, options))
        changed = True
    return "registered" if changed else None


def _has_policy(environment: Environment, of: Target, options: Options) -> bool:
    found = environment.autoscaling.describe_scaling_policies(
        ServiceNamespace="sagemaker", ResourceId=_resource(of), PolicyNames=[_policy_name(of)]
    )["ScalingPolicies"]
    wanted = float(options.invocations_per_instance)
    return any(one.get("TargetTrackingScalingPolicyConfiguration", {}).get("TargetValue") == wanted for one in found)


def _policy(of: Target, options: Options) -> dict[str, Any]:
    return {
        **_where(of),
        "PolicyName": _policy_name(of),
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": {
            "TargetValue": float(options.invocations_per_instance),
            "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
            "ScaleInCooldown": _SCALE_IN_SECONDS,
            "ScaleOutCooldown": _SCALE_OUT_SECONDS,
        },
    }


def _policy_name(of: Target) -> str:
    return f"{of.endpoint}-invocations"


def _resource(of: Target) -> str:
    return f"endpoint/{of.endpoint}/variant/{VARIANT}"


def _where(of: Target) -> dict[str, Any]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": _resource(of),
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def _tags(environment: Environment, of: Target) -> dict[str, str]:
    return {"project": environment.project, "group": of.group, "stage": of.stage}
