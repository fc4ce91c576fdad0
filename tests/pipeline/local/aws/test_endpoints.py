"""Requests and records; what managers do with them is in tests/pipeline/local/endpoints."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.local.endpoints import launch
from pipeline.local.endpoints.plan import Plan
from pipeline.local.store import Store

ARN = "arn:aws:sagemaker:us-east-1:000000000000:endpoint"


@pytest.fixture(autouse=True)
def _configs(sagemaker: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "start_manager", lambda _home, _endpoint, _hold: None)
    sagemaker.create_model(ModelName="m", PrimaryContainer={"Image": "x/image:1"})
    variant = {"VariantName": "AllTraffic", "ModelName": "m", "InstanceType": "ml.m5.large"}
    for name, instances in (("c", 2), ("d", 1), ("e", 4)):
        variants = [{**variant, "InitialInstanceCount": instances}]
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)


def _in_service(sagemaker: Any, store: Store, name: str = "bins", config: str = "c") -> None:
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    record = store.get("endpoint", name) or {}
    live = Plan.of(record["_pending"]).document()
    store.update("endpoint", name, EndpointStatus="InService", _pending=None, _live=live)


def test_an_endpoint_begins_as_creating(sagemaker: Any) -> None:
    arn = sagemaker.create_endpoint(EndpointName="bins", EndpointConfigName="c")["EndpointArn"]
    found = sagemaker.describe_endpoint(EndpointName="bins")
    wanted = {"EndpointName": "bins", "EndpointArn": f"{ARN}/bins", "EndpointConfigName": "c"}
    assert {**wanted, "EndpointStatus": "Creating"}.items() <= found.items()
    assert arn == f"{ARN}/bins"


def test_endpoints_are_listed_as_asked(sagemaker: Any, store: Store) -> None:
    for name in ("one", "two", "three"):
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="c")
    store.update("endpoint", "two", EndpointStatus="Failed")

    def names(**request: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_endpoints").paginate(PaginationConfig={"PageSize": 2}, **request)
        return [one["EndpointName"] for page in pages for one in page["Endpoints"]]

    assert names() == ["three", "two", "one"]
    assert names(SortBy="Name", SortOrder="Ascending") == ["one", "three", "two"]
    assert names(SortBy="Status") == ["two", "three", "one"]
    assert names(StatusEquals="Failed") == ["two"]
    assert names(NameContains="T") == ["three", "two"]
    assert names(LastModifiedTimeBefore=1.0) == names(CreationTimeAfter=4e9) == []


def test_a_page_has_ten_unless_asked_otherwise(sagemaker: Any) -> None:
    for number in range(11):
        sagemaker.create_endpoint(EndpointName=f"bins-{number}", EndpointConfigName="c")
    assert len(sagemaker.list_endpoints()["Endpoints"]) == 10


def test_an_update_is_pending_until_it_is_done(sagemaker: Any, store: Store) -> None:
    _in_service(sagemaker, store)
    sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName="d")
    found = sagemaker.describe_endpoint(EndpointName="bins")
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("Updating", "c")
    assert found["PendingDeploymentSummary"]["EndpointConfigName"] == "d"


def test_the_deployment_is_retained_when_asked(sagemaker: Any, store: Store) -> None:
    policy = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 30},
        }
    }
    sagemaker.create_endpoint(EndpointName="bins", EndpointConfigName="c", DeploymentConfig=policy)
    live = Plan.of((store.get("endpoint", "bins") or {})["_pending"]).document()
    for config, retain, wanted in (("d", True, policy), ("e", False, None)):
        store.update("endpoint", "bins", EndpointStatus="InService", _live=live)
        sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName=config, RetainDeploymentConfig=retain)
        assert (store.get("endpoint", "bins") or {})["_pending"]["deployment"] == wanted


@pytest.mark.parametrize("status", ["Failed", "OutOfService"])
def test_only_an_endpoint_in_service_is_updated(sagemaker: Any, store: Store, status: str) -> None:
    _in_service(sagemaker, store)
    store.update("endpoint", "bins", EndpointStatus=status)
    with pytest.raises(ClientError, match=f"in status {status}"):
        sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName="d")


@pytest.mark.parametrize("status", ["Creating", "Updating", "RollingBack", "Deleting"])
def test_nothing_is_asked_of_an_endpoint_in_transition(sagemaker: Any, store: Store, status: str) -> None:
    _in_service(sagemaker, store)
    store.update("endpoint", "bins", EndpointStatus=status)
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName="d")
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint") as caught:
        sagemaker.delete_endpoint(EndpointName="bins")
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_what_is_missing_or_there_already(sagemaker: Any, store: Store) -> None:
    _in_service(sagemaker, store)
    with pytest.raises(ClientError, match=f'Cannot create already existing endpoint "{ARN}/bins"'):
        sagemaker.create_endpoint(EndpointName="bins", EndpointConfigName="c")
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        sagemaker.create_endpoint(EndpointName="other", EndpointConfigName="no")
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName="no")
    with pytest.raises(ClientError, match="already uses endpoint configuration c"):
        sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName="c")
    for call in (sagemaker.describe_endpoint, sagemaker.delete_endpoint):
        with pytest.raises(ClientError, match=f'Could not find endpoint "{ARN}/no"'):
            call(EndpointName="no")
    sagemaker.delete_model(ModelName="m")
    with pytest.raises(ClientError, match="Could not find model"):
        sagemaker.create_endpoint(EndpointName="other", EndpointConfigName="c")


@pytest.mark.parametrize(
    ("traffic", "message"),
    [
        ({"Type": "CANARY"}, "CanarySize is required"),
        ({"Type": "LINEAR"}, "LinearStepSize is required"),
        ({"Type": "CANARY", "CanarySize": {"Type": "INSTANCE_COUNT", "Value": 1}}, "at most half"),
        ({"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10}}, "at most half"),
    ],
)
def test_a_deployment_that_cannot_be_is_refused(
    sagemaker: Any, store: Store, traffic: dict[str, Any], message: str
) -> None:
    _in_service(sagemaker, store)
    policy = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"WaitIntervalInSeconds": 0, **traffic}}}
    with pytest.raises(ClientError, match=message):
        sagemaker.update_endpoint(EndpointName="bins", EndpointConfigName="d", DeploymentConfig=policy)
    assert sagemaker.describe_endpoint(EndpointName="bins")["EndpointStatus"] == "InService"


def test_a_rolling_update_is_not_local(sagemaker: Any, store: Store) -> None:
    _in_service(sagemaker, store)
    batch = {"MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1}, "WaitIntervalInSeconds": 0}
    with pytest.raises(ClientError, match="RollingUpdatePolicy is not part of local AWS"):
        sagemaker.update_endpoint(
            EndpointName="bins", EndpointConfigName="d", DeploymentConfig={"RollingUpdatePolicy": batch}
        )
