from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from deploy import packages, plan
from pipeline.aws import deployment as module
from pipeline.aws.deployment import (
    Deployment,
    after_approval,
    deployment,
    eligible,
    production_takes,
    served_version,
    serving,
    wait_for,
)
from pipeline.aws.models import Version
from pipeline.errors import UserError
from pipeline.local.store import Store
from tests.registered import Registry, evaluation


def version(number: int = 1, status: str = "Approved", **metadata: str) -> Version:
    return Version(
        group="counts",
        number=number,
        arn=f"arn:{number}",
        status=status,
        created=datetime(2026, 11, 22, tzinfo=UTC),
        model_data="",
        image="",
        champion=False,
        note=None,
        score=None,
        evaluation=None,
        lineage={},
        metadata=metadata,
    )


@pytest.fixture
def registry(session: boto3.Session) -> Registry:
    made = Registry(session)
    made.register(evaluation(0.5, "a"))
    return made


@pytest.fixture
def put(store: Store) -> Callable[..., None]:
    """Return a function that puts the staging endpoint into a state; its manager is this process."""

    def one(status: str, number: int = 1) -> None:
        members = {"EndpointStatus": status, "EndpointConfigName": f"counts-staging-v{number}-0123abcd"}
        if store.get("endpoint", "counts-staging"):
            store.update("endpoint", "counts-staging", **members)
            return
        arn = "arn:aws:sagemaker:us-east-1:000000000000:endpoint/counts-staging"
        body = {"EndpointName": "counts-staging", "EndpointArn": arn, "CreationTime": 1.0, "LastModifiedTime": 1.0}
        store.create("endpoint", "counts-staging", {**body, **members, "_manager": os.getpid()})

    return one


STATES = ({}, *({"Status": one} for one in ("Requested", "Deploying", "Passed", "Failed", "RolledBack")))


@pytest.mark.parametrize("status", ["Approved", "Rejected", "PendingManualApproval"])
@pytest.mark.parametrize("override", [False, True])
def test_production_takes_what_the_deploy_function_deploys(status: str, override: bool) -> None:
    for staging in STATES:
        for production in STATES:
            metadata = {f"Staging{key}": value for key, value in staging.items()}
            metadata |= {f"Production{key}": value for key, value in production.items()}
            metadata |= {"StagingOverride": "somebody"} if override else {}
            answer = {"ModelPackageGroupName": "bincount-x", "ModelPackageVersion": 1, "ModelPackageArn": "arn"}
            package = packages.parse({**answer, "ModelApprovalStatus": status, "CustomerMetadataProperties": metadata})
            theirs = plan.desired("production", [package]) is not None
            assert eligible(version(1, status, **metadata)) == theirs, metadata


def test_the_newest_that_may_goes_to_production() -> None:
    passed = {"StagingStatus": "Passed"}
    versions = [version(2, **passed), version(4, **passed, ProductionStatus="RolledBack"), version(3), version(1)]
    assert production_takes(versions) == versions[0]
    assert production_takes([version(3)]) is None
    assert production_takes([]) is None


def test_approval_forgets_what_production_said_and_keeps_the_rest() -> None:
    before = version(1, "Rejected", StagingStatus="Failed", ProductionStatus="RolledBack", ProductionConfig="c", X="y")
    after = after_approval(before, override=False)
    assert after.metadata == {"StagingStatus": "Failed", "X": "y"}
    assert not eligible(after)
    assert eligible(after_approval(before, override=True))


@pytest.mark.parametrize(
    ("config", "number"),
    [
        ("a-b-staging-v12-0123abcd", 12),
        ("a-b-staging-v0-0123abcd", None),
        ("a-b-staging-v1-0123ABCD", None),
        ("a-b-production-v1-0123abcd", None),
        ("somebody-elses", None),
        ("", None),
    ],
)
def test_the_version_stands_in_the_name_of_the_config(config: str, number: int | None) -> None:
    assert served_version("a-b-staging", config) == number


def one(status: str, endpoint: str = "InService", serves: int | None = 1, **members: Any) -> Deployment:
    return Deployment("staging", "counts-staging", 1, status, "", "", endpoint, serves, **members)


def test_a_verdict_is_settled_when_the_endpoint_is() -> None:
    assert one("Passed").settled
    assert not one("Passed", pending=True).settled  # it is brought back
    assert not one("Deploying").settled
    assert not one("Failed").settled  # it is still what answers
    assert not one("Failed", "Updating", 1).settled
    assert not one("Failed", "Updating", 2).settled
    assert one("Failed", "InService", 2).settled
    assert one("RolledBack", "", None).settled


def test_a_deployment_is_read_from_the_version_and_the_endpoint(
    session: boto3.Session, registry: Registry, put: Callable[..., None]
) -> None:
    arn = registry.arn(1)
    assert deployment(session, arn, "staging") == Deployment("staging", "counts-staging", 1, "", "", "", "", None)
    assert serving(session, "counts", "staging") is None
    put("InService", 7)
    registry.say(1, StagingStatus="Failed", StagingReason="it miscounts", StagingTime="2026-11-22T12:00:00Z")
    found = deployment(session, arn, "staging")
    assert found == replace(
        one("Failed", serves=7), reason="it miscounts", time="2026-11-22T12:00:00Z", endpoint_status="InService"
    )
    assert serving(session, "counts", "staging") == 7
    with pytest.raises(UserError, match="does not exist"):
        deployment(session, arn.replace("/1", "/9"), "staging")


def test_the_wait_goes_on_until_the_verdict(
    session: boto3.Session, registry: Registry, put: Callable[..., None]
) -> None:
    changes: list[Callable[[], None]] = [
        lambda: registry.say(1, StagingStatus="Deploying"),
        lambda: put("InService"),
        lambda: None,
        lambda: registry.say(1, StagingStatus="Passed"),
    ]

    def sleep(seconds: float) -> None:
        assert seconds == 0.25
        changes.pop(0)()

    seen = list(wait_for(session, registry.arn(1), "staging", every=0.25, sleep=sleep))
    assert [(each.status, each.endpoint_status) for each in seen] == [
        ("", ""),
        ("Deploying", ""),
        ("Deploying", "InService"),
        ("Passed", "InService"),
    ]
    assert changes == []


def test_an_earlier_passed_counts_once_the_endpoint_serves_the_version(
    session: boto3.Session, registry: Registry, put: Callable[..., None]
) -> None:
    registry.say(1, StagingStatus="Passed")
    put("InService", 2)
    changes: list[Callable[[], None]] = [lambda: put("InService", 1)]
    seen = list(wait_for(session, registry.arn(1), "staging", anew=True, sleep=lambda _: changes.pop(0)()))
    assert [each.serving for each in seen] == [2, 1]
    assert [each.serving for each in wait_for(session, registry.arn(1), "staging")] == [1]


def test_a_failed_version_is_told_with_what_follows_or_after_a_grace(
    session: boto3.Session, registry: Registry, put: Callable[..., None]
) -> None:
    put("InService", 1)
    registry.say(1, StagingStatus="Failed")
    changes: list[Callable[[], None]] = [lambda: None, lambda: put("InService", 3)]
    arn = registry.arn(1)
    seen = list(wait_for(session, arn, "staging", sleep=lambda _: changes.pop(0)(), clock=lambda: 0.0))
    assert [each.serving for each in seen] == [1, 3]
    put("InService", 1)
    ticks = count(0.0, 10.0)
    assert not list(wait_for(session, arn, "staging", sleep=lambda _: None, clock=lambda: next(ticks)))[-1].settled
    assert next(ticks) < 100  # and not the whole time-out


def test_the_wait_ends_when_the_time_is_up(session: boto3.Session, registry: Registry) -> None:
    ticks = count(0.0, 10.0)
    arn = registry.arn(1)
    seen = list(wait_for(session, arn, "staging", timeout=60, sleep=lambda _: None, clock=lambda: next(ticks)))
    assert [each.status for each in seen] == [""]
    assert next(ticks) == 70.0


def test_throttling_is_waited_out_with_longer_pauses(
    session: boto3.Session, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.say(1, StagingStatus="Passed")
    refusals = [ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, "Describe")] * 3
    read = module._read

    def throttled(*given: Any) -> Deployment:
        if refusals:
            raise refusals.pop()
        return read(*given)

    monkeypatch.setattr(module, "_read", throttled)
    pauses: list[float] = []
    assert len(list(wait_for(session, registry.arn(1), "staging", every=1.0, sleep=pauses.append))) == 1
    assert pauses == [2.0, 4.0, 8.0]


def test_a_throttled_wait_ends_too(session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def throttled(*_: Any) -> Deployment:
        raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, "Describe")

    monkeypatch.setattr(module, "_read", throttled)
    ticks = count(0.0, 10.0)
    assert list(wait_for(session, "arn", "staging", sleep=lambda _: None, clock=lambda: next(ticks))) == []
