from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from pipeline.aws import approval, rollback
from pipeline.aws.endpoints import Endpoint, describe
from pipeline.aws.rollback import begin, prepare
from pipeline.errors import UserError

if TYPE_CHECKING:
    from tests.extended_moto import Endpoints

ROLE = "arn:aws:iam::123456789012:role/bincount-model"
GROUP = "bincount-demo"
STAGED = {"StagingStatus": "Passed"}
Account = Callable[..., Endpoint]


@pytest.fixture
def account(moto_session: boto3.Session) -> Account:
    """Return a function that registers versions by their approval and metadata, and serves one of them."""
    client: Any = moto_session.client("sagemaker")

    def make(stage: str, live: int, *versions: tuple[str, dict[str, str]]) -> Endpoint:
        client.create_model_package_group(ModelPackageGroupName=GROUP)
        for status, metadata in versions:
            client.create_model_package(
                ModelPackageGroupName=GROUP,
                ModelApprovalStatus=status,
                CustomerMetadataProperties=metadata,
                InferenceSpecification={"Containers": [{"Image": "i"}], "SupportedContentTypes": ["image/jpeg"]},
            )
        name = f"{GROUP}-{stage}"
        part = f"{name}-v{live}-0123abcd"
        container = {"Image": "i", "ModelDataUrl": "s3://b/m.tar.gz"}
        client.create_model(ModelName=part, ExecutionRoleArn=ROLE, PrimaryContainer=container)
        variant = {"VariantName": "AllTraffic", "ModelName": part, "InstanceType": "ml.m5.large"}
        client.create_endpoint_config(
            EndpointConfigName=part, ProductionVariants=[{**variant, "InitialInstanceCount": 1}]
        )
        client.create_endpoint(EndpointName=name, EndpointConfigName=part)
        found = describe(moto_session, name)
        assert found is not None
        return found

    return make


PASSED = ("Approved", STAGED)


@pytest.mark.parametrize(
    ("stage", "live", "versions", "earlier"),
    [
        ("production", 3, [PASSED, PASSED, PASSED], 2),
        ("production", 3, [PASSED, ("Approved", STAGED | {"ProductionStatus": "Failed"}), PASSED], 1),
        ("production", 3, [PASSED, ("Rejected", STAGED), PASSED], 1),
        ("production", 3, [PASSED, ("Approved", {"StagingStatus": "Failed"}), PASSED], 1),
        ("production", 2, [("Approved", {"StagingOverride": "me"}), PASSED], 1),
        ("staging", 3, [("Rejected", STAGED), ("Approved", {"StagingStatus": "Failed"}), PASSED], 1),
        ("staging", 2, [PASSED, PASSED], 1),
    ],
)
def test_the_newest_other_version_that_may_serve_follows(
    stage: str,
    live: int,
    versions: list[tuple[str, dict[str, str]]],
    earlier: int,
    account: Account,
    moto_session: boto3.Session,
) -> None:
    chosen = prepare(moto_session, account(stage, live, *versions))
    assert (chosen.live.number, chosen.earlier.number) == (live, earlier)


@pytest.mark.parametrize(
    ("stage", "versions"),
    [
        ("production", [PASSED]),
        ("production", [PASSED, ("PendingManualApproval", STAGED)]),
        ("production", [PASSED, ("Approved", {})]),
        ("staging", [PASSED, ("Approved", {}), ("Approved", {"StagingStatus": "RolledBack"})]),
    ],
)
def test_without_another_version_nothing_is_begun(
    stage: str, versions: list[tuple[str, dict[str, str]]], account: Account, moto_session: boto3.Session
) -> None:
    with pytest.raises(UserError, match=f"bincount-demo-{stage} serves version 1, and there is no other"):
        prepare(moto_session, account(stage, 1, *versions))


def test_a_busy_endpoint_is_left_alone(
    account: Account, moto_session: boto3.Session, moto_endpoints: Endpoints
) -> None:
    name = account("staging", 2, PASSED, PASSED).name
    moto_endpoints.state(name, "Updating")
    found = describe(moto_session, name)
    assert found is not None
    with pytest.raises(UserError, match=f"{name} is Updating: wait until it is InService"):
        prepare(moto_session, found)


def test_production_rejects_the_live_version(
    account: Account, moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    rejected: list[tuple[int, str | None]] = []
    monkeypatch.setattr(approval, "reject", lambda _, version, note: rejected.append((version.number, note)))
    begin(moto_session, prepare(moto_session, account("production", 2, PASSED, PASSED)), "miscounts")
    assert rejected == [(2, "miscounts")]


def test_staging_marks_the_live_version_and_has_the_function_look(
    account: Account, moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []
    monkeypatch.setattr(rollback, "reconcile", lambda _, group: called.append(group))
    chosen = prepare(moto_session, account("staging", 2, PASSED, PASSED))
    begin(moto_session, chosen, 'it said "5"\n' + "x" * 300)
    client: Any = moto_session.client("sagemaker")
    metadata = client.describe_model_package(ModelPackageName=chosen.live.arn)["CustomerMetadataProperties"]
    assert metadata["StagingStatus"] == "RolledBack"
    assert metadata["StagingReason"].startswith("it said -5- xxx")
    assert len(metadata["StagingReason"]) <= 256
    assert metadata["StagingTime"].endswith("Z")
    assert called == [GROUP]
