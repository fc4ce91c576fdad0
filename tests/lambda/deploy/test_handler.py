from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from deploy.handler import handler
from tests.deployments import GROUP, World


def test_a_function_without_its_environment_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PROJECT", "MODEL_ROLE_ARN", "CAPTURE_URI"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match="lacks PROJECT, MODEL_ROLE_ARN, CAPTURE_URI"):
        handler({"Action": "reconcile", "ModelPackageGroupName": GROUP}, None)


def test_what_is_delivered_and_not_ours_is_answered(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    event = world.endpoint_event("shop-prod-staging")
    assert "none of this function's" in world.call(event)["Ignored"]
    assert json.loads(capsys.readouterr().out)["event"] == "refused"
    assert "there is no model package" in world.call(world.package_event(7))["Ignored"]
    assert "no event" in world.call({**event, "detail-type": "SageMaker Model State Change"})["Ignored"]


def test_a_passing_trouble_is_raised_so_that_the_event_comes_again(world: World) -> None:
    version = world.register()
    world.step(version)
    world.end_changes()

    def fail(**_: Any) -> Any:
        fault = {"Code": "InternalFailure", "Message": "again"}
        return SimpleNamespace(status_code=500), {"Error": fault, "ResponseMetadata": {"HTTPStatusCode": 500}}

    events: Any = world.session.events
    events.register("before-call.sagemaker.UpdateModelPackage", fail)
    try:
        with pytest.raises(ClientError):
            world.call(world.endpoint_event(f"{GROUP}-staging"))
    finally:
        events.unregister("before-call.sagemaker.UpdateModelPackage", fail)
    world.call(world.endpoint_event(f"{GROUP}-staging"))
    assert world.status(version) == "Passed"


def test_a_group_that_is_not_there_is_said(world: World) -> None:
    def missing(**_: Any) -> Any:
        fault = {"Code": "ValidationException", "Message": "ModelPackageGroup arn does not exist."}
        return SimpleNamespace(status_code=400), {"Error": fault, "ResponseMetadata": {"HTTPStatusCode": 400}}

    events: Any = world.session.events
    events.register("before-call.sagemaker.ListModelPackages", missing)
    try:
        with pytest.raises(ValueError, match="there is no model package group bincount-none"):
            world.call({"Action": "reconcile", "ModelPackageGroupName": "bincount-none"})
    finally:
        events.unregister("before-call.sagemaker.ListModelPackages", missing)


def test_the_log_is_json_without_payloads(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.bring_to_production()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"action", "verdict", "reconciled"} <= {line["event"] for line in lines}
    assert "photo" not in json.dumps(lines)


def test_the_function_never_approves(world: World) -> None:
    sent = []

    def look(params: dict[str, Any], **_: Any) -> None:
        sent.append(json.loads(params["body"]))

    events: Any = world.session.events
    version = world.register()
    events.register("before-call.sagemaker.UpdateModelPackage", look)
    try:
        world.step(version)
        world.drive()
    finally:
        events.unregister("before-call.sagemaker.UpdateModelPackage", look)
    members = {"ModelPackageArn", "CustomerMetadataProperties", "CustomerMetadataPropertiesToRemove"}
    assert sent
    assert all(set(one) <= members for one in sent)
