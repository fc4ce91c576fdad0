"""EventBridge: what rules call: functions, which get the event, a part of it, or a constant; and pipelines to start."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from pipeline.local.aws.account import Account, arn
from pipeline.local.aws.answers import Answer, Request, ServiceError, invalid, not_local, operation
from pipeline.local.aws.paging import page
from pipeline.local.aws.rules import changing, default_bus, find_rule

_MOST = 5  # of a rule
_KEPT = {"Id", "Arn", "Input", "InputPath"}
_KEPT_OF_PIPELINE = {"Id", "Arn", "RoleArn", "SageMakerPipelineParameters"}
_PATH = re.compile(r"\$(\.[A-Za-z0-9_-]+)*")


def pipeline_arn(name: str) -> str:
    """Return the ARN of a pipeline."""
    return arn("pipeline", name)


@operation("events", "PutTargets")
def put_targets(account: Account, request: Request) -> Answer:
    """Add targets to a rule, each in place of the one of its Id."""
    default_bus(request)
    for target in request["Targets"]:
        _check(target)
    with changing(account, request["Rule"]) as rule:
        by_id = {target["Id"]: target for target in [*rule["_targets"], *request["Targets"]]}
        if len(by_id) > _MOST:
            message = "The requested resource exceeds the maximum number allowed."
            raise ServiceError("LimitExceededException", message)
        rule["_targets"] = list(by_id.values())
    return {"FailedEntryCount": 0, "FailedEntries": []}


def _check(target: Mapping[str, Any]) -> None:
    for member in sorted(set(target) - (_KEPT_OF_PIPELINE if is_pipeline(target) else _KEPT)):
        raise not_local(f"{member} of a rule's target")
    if is_pipeline(target):
        _check_pipeline(target)
    elif not target["Arn"].startswith("arn:aws:lambda:"):
        raise not_local("a rule's target that is neither a function nor a pipeline")
    if "Input" in target and "InputPath" in target:
        message = f"Only one of Input, InputPath, or InputTransformer must be provided for target {target['Id']}."
        raise invalid(message)
    if not _PATH.fullmatch(target.get("InputPath", "$")):
        raise not_local("an InputPath that is more than names behind dots")
    try:
        json.loads(target.get("Input", "{}"))
    except ValueError:
        raise invalid(f"JSON syntax error in Input for target {target['Id']}.") from None


def is_pipeline(target: Mapping[str, Any]) -> bool:
    """Say whether a target is a pipeline."""
    return str(target["Arn"]).startswith(pipeline_arn(""))


def _check_pipeline(target: Mapping[str, Any]) -> None:
    if "RoleArn" not in target:
        raise invalid(f"RoleArn is required for target {target['Arn']}.")
    if any(one["Value"].startswith("$") for one in _parameters(target)):
        raise not_local("A parameter of a pipeline that is taken from the event")


def _parameters(target: Mapping[str, Any]) -> list[dict[str, str]]:
    listed: list[dict[str, str]] = target.get("SageMakerPipelineParameters", {}).get("PipelineParameterList", [])
    return listed


def start_pipeline(account: Account, target: Mapping[str, Any], event: Mapping[str, Any]) -> None:
    """Start an execution of a target; an event that comes twice starts one. Raises ServiceError: it cannot be."""
    from pipeline.local.aws.executions import start_pipeline_execution

    request = {
        "PipelineName": target["Arn"].removeprefix(pipeline_arn("")),
        "PipelineParameters": _parameters(target),
        "ClientRequestToken": event["id"],
    }
    start_pipeline_execution(account, request)


def input_of(target: Mapping[str, Any], event: Mapping[str, Any]) -> bytes:
    """Return what a target is called with: JSON. Where InputPath leads nowhere, null."""
    if "Input" in target:
        return str(target["Input"]).encode()
    value: Any = event
    for name in target.get("InputPath", "$").split(".")[1:]:
        value = value.get(name) if isinstance(value, Mapping) else None
    return json.dumps(value).encode()


@operation("events", "RemoveTargets")
def remove_targets(account: Account, request: Request) -> Answer:
    """Take targets from a rule by their Ids; those that it has not are no error."""
    default_bus(request)
    with changing(account, request["Rule"]) as rule:
        rule["_targets"] = [target for target in rule["_targets"] if target["Id"] not in request["Ids"]]
    return {"FailedEntryCount": 0, "FailedEntries": []}


@operation("events", "ListTargetsByRule")
def list_targets_by_rule(account: Account, request: Request) -> Answer:
    """Answer a rule's targets."""
    default_bus(request)
    rule = find_rule(account, request["Rule"])
    return page(rule["_targets"], {**request, "MaxResults": request.get("Limit", 100)}, "Targets", "Id", dict)
