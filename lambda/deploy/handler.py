"""The function's entry: whatever the event, it ends in reconciling endpoints with the model registry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deploy import environment as environments
from deploy import packages, triggers, verdicts
from deploy.environment import Environment
from deploy.errors import RefusedError
from deploy.log import log
from deploy.names import PRODUCTION, STAGES, STAGING, PackageArn, Target
from deploy.packages import DEPLOYING, PASSED, REQUESTED, Package
from deploy.reconcile import Reconciler
from deploy.triggers import Deploy, EndpointChanged, PackageChanged, Trigger


def handler(event: object, context: object) -> dict[str, Any]:
    """Do what an event asks for, see README.md.

    Raises:
        RefusedError: called by a step or by hand with what this function does not take. A delivered event of that kind
            is answered instead, since an error would only bring it back.
        ClientError, BotoCoreError: a passing trouble of the service.
    """
    try:
        environment = environments.load()
        trigger = triggers.parse(event, environment.project)
        return _act(environment, trigger, str(getattr(context, "invoked_function_arn", "")))
    except RefusedError as refusal:
        log("refused", reason=str(refusal))
        if triggers.is_delivered(event):
            return {"Ignored": str(refusal)}
        raise


def _act(environment: Environment, trigger: Trigger, function_arn: str) -> dict[str, Any]:
    if isinstance(trigger, Deploy):
        return _deploy(environment, _package(environment, trigger.package, function_arn))
    if isinstance(trigger, EndpointChanged):
        return _endpoint_changed(environment, trigger.target)
    if isinstance(trigger, PackageChanged):
        return _package_changed(environment, _package(environment, trigger.package, function_arn))
    return {stage: _reconcile(environment, Target(trigger.group, stage), _any) for stage in STAGES}


def _deploy(environment: Environment, package: Package) -> dict[str, Any]:
    if package.mark(STAGING).status not in {DEPLOYING, PASSED}:
        verdicts.judge(environment, package, STAGING, REQUESTED, "the pipeline asked for it")
    return {"RequestedVersion": package.version, **_reconcile(environment, Target(package.group, STAGING), _any)}


def _endpoint_changed(environment: Environment, target: Target) -> dict[str, Any]:
    answer = {target.stage: _reconcile(environment, target, _none)}
    if target.stage == STAGING:  # an approved version may have waited for this verdict
        answer[PRODUCTION] = _reconcile(environment, Target(target.group, PRODUCTION), _none)
    return answer


def _package_changed(environment: Environment, package: Package) -> dict[str, Any]:
    # An old event must not bring an endpoint back that was cleaned up, with another version than its own.
    target = Target(package.group, PRODUCTION)
    return {PRODUCTION: _reconcile(environment, target, lambda version: version == package.version)}


def _any(_version: int) -> bool:
    return True


def _none(_version: int) -> bool:
    return False


def _reconcile(environment: Environment, target: Target, creates: Callable[[int], bool]) -> dict[str, Any]:
    return Reconciler(environment, target, creates).run()


def _package(environment: Environment, arn: PackageArn, function_arn: str) -> Package:
    home = function_arn.split(":")[3:5]
    if len(home) == 2 and home != [arn.region, arn.account]:
        raise RefusedError(f"{arn.arn} is of another region or account than this function")
    package = packages.describe(environment, arn.arn)
    if package is None:
        raise RefusedError(f"there is no model package {arn.arn}")
    return package
