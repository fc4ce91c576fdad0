"""From the pipeline's step to production and back, with the requests that AWS would get."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from deploy import endpoints
from tests.deployments import FUNCTION, GROUP, ROLE, World

STAGING, PRODUCTION = f"{GROUP}-staging", f"{GROUP}-production"


def tags_of(world: World, arn: str) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in world.sagemaker.list_tags(ResourceArn=arn)["Tags"]}


def tags(stage: str, version: int) -> dict[str, str]:
    return {"project": "bincount", "group": GROUP, "stage": stage, "version": str(version)}


def test_the_step_starts_a_deployment_and_returns(world: World) -> None:
    version = world.register()
    answer = world.step(version)
    assert (answer["EndpointName"], answer["EndpointStatus"]) == (STAGING, "Creating")
    assert all(isinstance(value, str | int) for value in answer.values())  # what a Lambda step can declare
    assert world.status(version) == "Deploying"
    assert world.asked == []


def test_staging_is_tested_with_a_real_photo(world: World) -> None:
    version = world.register(StagingInstanceType="ml.t2.medium")
    world.step(version)
    world.drive()
    assert world.asked == [f"{GROUP}/{version}"]
    metadata = world.metadata(version)
    assert metadata["StagingStatus"] == "Passed"
    assert metadata["StagingReason"] == "answered 3 like the evaluation"
    assert metadata["StagingTime"].endswith("Z")
    assert "StagingConfig" not in metadata
    assert world.endpoint("production") is None
    (model,), (config,) = world.models(), world.configs()
    assert model.startswith(f"{STAGING}-v1-")
    made = world.sagemaker.describe_model(ModelName=model)
    assert made["PrimaryContainer"] == {
        "Image": "image",
        "ModelDataUrl": "s3://artifacts/model.tar.gz",
        "Environment": {"MODEL_VERSION": f"{GROUP}/1"},
    }
    assert (made["EnableNetworkIsolation"], made["ExecutionRoleArn"]) == (True, ROLE)
    variant = world.sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.t2.medium", 1)
    endpoint = world.endpoint("staging") or {}
    assert tags_of(world, made["ModelArn"]) == tags_of(world, endpoint["EndpointArn"]) == tags("staging", 1)


def test_an_approval_brings_production_up(world: World) -> None:
    version = world.bring_to_production()
    assert world.status(version, "production") == "Passed"
    model = next(name for name in world.models() if "production" in name)
    container = world.sagemaker.describe_model(ModelName=model)["PrimaryContainer"]
    assert container == {"ModelPackageName": world.arn(1), "Environment": {"MODEL_VERSION": f"{GROUP}/1"}}


def test_a_second_version_replaces_the_first_and_leaves_nothing_behind(world: World) -> None:
    world.bring_to_production()
    world.bring_to_production()
    assert [name.split("-v")[1][0] for name in world.configs()] == ["2", "2"]
    assert [name.split("-v")[1][0] for name in world.models()] == ["2", "2"]
    alarms = world.session.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert {alarm["AlarmName"].split("-v")[1][0] for alarm in alarms} == {"2"}
    for stage in ("staging", "production"):
        assert tags_of(world, (world.endpoint(stage) or {})["EndpointArn"]) == tags(stage, 2)


def test_production_is_updated_with_guardrails(world: World) -> None:
    world.bring_to_production()
    world.bring_to_production(InstanceCount="2", BakeSeconds="600", LatencyLimitMs="250")
    request = world.endpoints.requests[-1]
    config = request["EndpointConfigName"]
    policy = request["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    assert policy["TrafficRoutingConfiguration"] == {
        "Type": "CANARY",
        "WaitIntervalInSeconds": 600,
        "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1},
    }
    assert policy["MaximumExecutionTimeoutInSeconds"] > 2 * 600
    rollback = {"Alarms": [{"AlarmName": f"{config}-5xx"}, {"AlarmName": f"{config}-latency"}]}
    assert request["DeploymentConfig"]["AutoRollbackConfiguration"] == rollback
    latency = world.session.client("cloudwatch").describe_alarms(AlarmNames=[f"{config}-latency"])["MetricAlarms"][0]
    assert (latency["Threshold"], latency["TreatMissingData"]) == (250_000, "notBreaching")
    assert {one["Name"]: one["Value"] for one in latency["Dimensions"]} == {
        "EndpointName": PRODUCTION,
        "VariantName": "AllTraffic",
        "EndpointConfigName": config,
    }


def test_the_same_event_again_changes_nothing(world: World) -> None:
    version = world.bring_to_production()
    before = (world.configs(), world.models(), len(world.endpoints.requests), world.metadata(version))
    world.step(version)
    world.call(world.endpoint_event(STAGING))
    world.call(world.endpoint_event(PRODUCTION))
    world.call(world.package_event(version))
    answer = world.reconcile()
    assert [one["Actions"] for one in answer.values()] == ["settle", "settle"]
    assert before == (world.configs(), world.models(), len(world.endpoints.requests), world.metadata(version))
    assert world.asked == [f"{GROUP}/1"] * 2


def test_lost_events_are_made_up_for_by_hand(world: World) -> None:
    version = world.register()
    world.step(version)
    world.end_changes()
    world.sagemaker.update_model_package(ModelPackageArn=world.arn(version), ModelApprovalStatus="Approved")
    assert world.reconcile()["production"]["EndpointStatus"] == "Creating"
    world.end_changes()
    world.reconcile()
    assert (world.status(version), world.status(version, "production")) == ("Passed", "Passed")


def test_callers_at_once_make_one_deployment(world: World) -> None:
    version = world.register()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: world.step(version), range(4)))
    assert {answer["EndpointName"] for answer in answers} == {STAGING}
    assert len(world.endpoints.requests) == len(world.configs()) == len(world.models()) == 1
    world.end_changes()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: world.call(world.endpoint_event(STAGING)), range(4)))
    assert world.status(version) == "Passed"
    second = world.register()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: world.step(second), range(4)))
    assert len(world.endpoints.requests) == 2
    world.drive()
    assert (world.live("staging"), world.status(second)) == (2, "Passed")


def test_a_caller_that_looked_just_before_anothers_update_takes_it_for_no_rollback(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    version = world.register()
    world.step(version)
    world.drive()
    second, looked = world.register(), endpoints.describe

    def describe(environment: Any, target: Any) -> Any:
        found = looked(environment, target)
        if target.stage == "staging":
            monkeypatch.setattr(endpoints, "describe", looked)
            world.step(second)
        return found

    monkeypatch.setattr(endpoints, "describe", describe)
    world.step(second)
    world.drive()
    assert (world.live("staging"), world.status(second)) == (second, "Passed")


def test_a_version_that_answers_wrongly_is_taken_back(world: World) -> None:
    world.bring_to_production()
    second = world.register()
    world.bad.add(second)
    world.step(second)
    world.drive()
    assert world.metadata(second)["StagingStatus"] == "Failed"
    assert world.metadata(second)["StagingReason"] == "label 1 does not belong to predicted index 2"
    assert (world.live("staging"), world.status(1)) == (1, "Passed")
    assert world.asked[-1] == f"{GROUP}/1"  # what came back was tested again
    assert world.live("production") == 1
    assert len(world.configs()) == len(world.models()) == 2


def test_the_first_version_that_answers_wrongly_leaves_no_endpoint(world: World) -> None:
    version = world.register()
    world.bad.add(version)
    world.step(version)
    world.drive()
    assert world.status(version) == "Failed"
    assert (world.endpoint("staging"), world.configs(), world.models()) == (None, [], [])


def test_a_version_that_cannot_start_leaves_no_endpoint_and_may_be_tried_again(world: World) -> None:
    version = world.register()
    world.dead.add(version)
    world.step(version)
    world.drive()
    reason = world.metadata(version)["StagingReason"]
    assert (world.status(version), reason) == ("Failed", "The container did not pass the ping health check.")
    assert (world.endpoint("staging"), world.configs(), world.models()) == (None, [], [])
    world.dead.clear()
    world.step(version)
    world.drive()
    assert (world.status(version), world.live("staging")) == ("Passed", 1)


def test_an_update_that_the_service_rolls_back_is_the_versions_failure(world: World) -> None:
    world.bring_to_production()
    second = world.register()
    world.step(second)
    world.drive()
    world.decide(second, "Approved")
    world.endpoints.fail(PRODUCTION, "Alarm bincount-5xx went into ALARM")
    world.call(world.endpoint_event(PRODUCTION))
    metadata = world.metadata(second)
    assert (metadata["ProductionStatus"], metadata["ProductionReason"]) == (
        "Failed",
        "Alarm bincount-5xx went into ALARM",
    )
    assert (world.live("production"), world.status(1, "production")) == (1, "Passed")
    requests = len(world.endpoints.requests)
    world.reconcile()
    assert len(world.endpoints.requests) == requests  # not again and again


def test_production_goes_back_when_its_own_smoke_test_fails(world: World) -> None:
    world.bring_to_production()
    second = world.register()
    world.step(second)
    world.drive()
    world.bad.add(second)
    world.decide(second, "Approved")
    world.drive()
    assert world.status(second, "production") == "Failed"
    assert (world.live("production"), world.status(1, "production")) == (1, "Passed")


def test_an_approval_before_the_verdict_waits_for_it(world: World) -> None:
    version = world.register()
    world.step(version)
    world.decide(version, "Approved")
    assert world.endpoint("production") is None
    world.drive()
    assert world.live("production") == version


def test_production_does_not_take_what_staging_refused(world: World) -> None:
    version = world.register()
    world.bad.add(version)
    world.step(version)
    world.drive()
    world.decide(version, "Approved")
    assert world.endpoint("production") is None
    metadata = {"StagingOverride": "somebody 2026-11-22T10:00:00Z"}
    world.sagemaker.update_model_package(ModelPackageArn=world.arn(version), CustomerMetadataProperties=metadata)
    world.bad.clear()
    world.call(world.package_event(version))
    world.drive()
    assert (world.live("production"), world.status(version, "production")) == (version, "Passed")


def test_an_event_cannot_approve(world: World) -> None:
    version = world.register()
    world.step(version)
    world.drive()
    world.call(world.package_event(version, "Approved"))
    assert world.endpoint("production") is None


def test_rejecting_what_production_serves_brings_the_newest_other_approved(world: World) -> None:
    for _ in range(3):
        world.bring_to_production()
    world.decide(2, "Rejected")
    world.decide(3, "Rejected")
    world.drive()
    assert (world.live("production"), world.status(1, "production")) == (1, "Passed")
    answer = world.decide(1, "Rejected")["production"]
    assert world.live("production") == 1
    assert "kept" in answer["Reason"]


def test_a_version_rolled_back_by_hand_gives_way(world: World) -> None:
    world.bring_to_production()
    world.bring_to_production()
    metadata = {"ProductionStatus": "RolledBack"}
    world.sagemaker.update_model_package(ModelPackageArn=world.arn(2), CustomerMetadataProperties=metadata)
    world.reconcile()
    world.drive()
    assert (world.live("production"), world.status(2, "production")) == (1, "RolledBack")


def test_an_event_brings_no_endpoint_back_that_was_cleaned_up(world: World) -> None:
    version = world.bring_to_production()
    second = world.register()
    for stage in (STAGING, PRODUCTION):
        world.sagemaker.delete_endpoint(EndpointName=stage)
    world.drive()
    world.decide(second, "Rejected")
    for event in (world.endpoint_event(STAGING), world.endpoint_event(PRODUCTION, "FAILED")):
        world.call(event)
    assert (world.endpoint("staging"), world.endpoint("production")) == (None, None)
    assert (len(world.configs()), len(world.models())) == (2, 2)  # of what would come back
    world.call(world.package_event(version))
    assert world.live("production") == version
    world.reconcile()
    assert world.live("staging") == version


def test_two_versions_at_once_end_with_the_newer(world: World) -> None:
    first, second = world.register(), world.register()
    world.step(first)
    assert world.step(second)["EndpointStatus"] == "Creating"
    world.drive()
    assert (world.status(first), world.status(second), world.live("staging")) == ("Passed", "Passed", second)


def test_whoever_waits_for_an_older_version_is_told(world: World) -> None:
    world.bring_to_production()
    second, third = world.register(), world.register()
    for version in (third, second):
        world.step(version)
    world.drive()
    assert (world.live("staging"), world.status(second)) == (third, "Failed")
    assert world.metadata(second)["StagingReason"] == "version 3 is newer and was deployed instead"


@pytest.mark.parametrize("stage", ["staging", "production"])
def test_an_endpoint_that_broke_in_service_is_made_again(world: World, stage: str) -> None:
    world.bring_to_production()
    name = f"{GROUP}-{stage}"
    world.endpoints.state(name, "Failed", "host lost")
    world.call(world.endpoint_event(name, "FAILED"))
    assert (world.endpoint(stage) or {})["EndpointStatus"] == "Deleting"
    world.drive()
    assert (world.live(stage), world.status(1, stage)) == (1, "Passed")
    assert len(world.endpoints.requests) == 3


@pytest.mark.parametrize("status", ["OutOfService", "UpdateRollbackFailed"])
def test_an_impaired_endpoint_is_replaced_by_another_version_or_described(world: World, status: str) -> None:
    world.bring_to_production()
    world.endpoints.state(PRODUCTION, status, "no hosts")
    answer = world.call(world.endpoint_event(PRODUCTION, "OUT_OF_SERVICE"))["production"]
    assert answer["Reason"] == f"the endpoint is {status}: no hosts; delete it, then reconcile"
    second = world.register()
    world.step(second)
    world.drive()
    world.decide(second, "Approved")
    world.drive()
    assert world.live("production") == second


def test_what_the_service_declines_is_the_versions_failure(world: World) -> None:
    def decline(**_: Any) -> Any:
        from types import SimpleNamespace

        fault = {
            "Code": "ResourceLimitExceeded",
            "Message": "The limit 'ml.m5.large for endpoint usage' is 0 Instances",
        }
        return SimpleNamespace(status_code=400), {"Error": fault, "ResponseMetadata": {"HTTPStatusCode": 400}}

    events: Any = world.session.events
    events.register("before-call.sagemaker.CreateEndpoint", decline)
    try:
        version = world.register()
        answer = world.step(version)
    finally:
        events.unregister("before-call.sagemaker.CreateEndpoint", decline)
    assert world.status(version) == "Failed"
    assert world.metadata(version)["StagingReason"] == "The limit ml.m5.large for endpoint usage is 0 Instances"
    assert (answer["EndpointStatus"], world.configs(), world.models()) == ("", [], [])


def test_a_version_with_senseless_options_fails(world: World) -> None:
    version = world.register(BakeSeconds="soon")
    world.step(version)
    assert world.metadata(version)["StagingReason"] == "version 1 has BakeSeconds soon: it must be 0 to 3600"


def test_a_config_not_known_yet_is_waited_for(world: World) -> None:
    refused: list[int] = []

    def not_yet(**_: Any) -> Any:
        from types import SimpleNamespace

        if len(refused) == 2:
            return None
        refused.append(1)
        fault = {"Code": "ValidationException", "Message": 'Could not find endpoint configuration "arn".'}
        return SimpleNamespace(status_code=400), {"Error": fault, "ResponseMetadata": {"HTTPStatusCode": 400}}

    events: Any = world.session.events
    events.register("before-call.sagemaker.CreateEndpoint", not_yet)
    try:
        assert world.step(world.register())["EndpointStatus"] == "Creating"
    finally:
        events.unregister("before-call.sagemaker.CreateEndpoint", not_yet)


def test_capture_is_of_production_alone(world: World) -> None:
    world.bring_to_production(CapturePercent="20")
    staging, production = (
        world.sagemaker.describe_endpoint_config(EndpointConfigName=(world.endpoint(stage) or {})["EndpointConfigName"])
        for stage in ("staging", "production")
    )
    assert not staging.get("DataCaptureConfig")
    assert production["DataCaptureConfig"]["InitialSamplingPercentage"] == 20
    assert production["DataCaptureConfig"]["DestinationS3Uri"] == "s3://artifacts/bincount/capture"


def test_a_version_that_is_gone_does_not_stop_the_others(world: World) -> None:
    world.bring_to_production()
    world.sagemaker.delete_model_package(ModelPackageName=world.arn(1))
    assert "kept" in world.reconcile()["production"]["Reason"]
    assert world.bring_to_production() == 2


def test_other_accounts_and_groups_are_none_of_its_business(world: World) -> None:
    version = world.register()
    foreign = world.arn(version).replace("123456789012", "210987654321")
    with pytest.raises(ValueError, match="another region or account"):
        world.call({"Stage": "staging", "ModelPackageArn": foreign})
    with pytest.raises(ValueError, match="there is no model package"):
        world.step(99)
    with pytest.raises(ValueError, match="there is only reconcile"):
        world.call({"Action": "destroy", "ModelPackageGroupName": GROUP})
    with pytest.raises(ValueError, match="an approval to production"):
        world.call({"Stage": "production", "ModelPackageArn": world.arn(version)})
    assert "none of this function's" in world.call(world.endpoint_event("shop-demo-production"))["Ignored"]
    assert FUNCTION.split(":")[4] in world.arn(version)
    assert world.endpoints.requests == []
