"""The events that call the function, in the shapes that AWS gives them, and the rules that let them through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.errors import RefusedError
from deploy.names import Target
from deploy.triggers import Deploy, EndpointChanged, PackageChanged, Reconcile, Trigger, is_delivered, parse
from pipeline.local.aws.event_patterns import compile_pattern

ROOT = Path(__file__).parents[3]
EVENTS = ROOT / "tests" / "events" / "deploy"
RULES = json.loads((ROOT / "lambda" / "deploy" / "rules.json").read_text(encoding="utf-8"))


def event(name: str) -> dict[str, Any]:
    return dict(json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8")))


def kind_and_name(trigger: Trigger) -> tuple[type, str]:
    if isinstance(trigger, EndpointChanged):
        return EndpointChanged, trigger.target.endpoint
    if isinstance(trigger, Reconcile):
        return Reconcile, trigger.group
    return type(trigger), f"{trigger.package.group}/{trigger.package.version}"


@pytest.mark.parametrize(
    ("name", "expected", "rules"),
    [
        ("lambda_step", (Deploy, "bincount-prod/2"), []),
        ("reconcile", (Reconcile, "bincount-prod"), []),
        ("endpoint_in_service", (EndpointChanged, "bincount-prod-staging"), ["bincount-endpoint"]),
        ("endpoint_rolled_back", (EndpointChanged, "bincount-prod-production"), ["bincount-endpoint"]),
        ("endpoint_failed", (EndpointChanged, "bincount-prod-staging"), ["bincount-endpoint"]),
        ("endpoint_out_of_service", (EndpointChanged, "bincount-prod-production"), ["bincount-endpoint"]),
        ("endpoint_deleted", (EndpointChanged, "bincount-prod-staging"), ["bincount-endpoint"]),
        ("package_approved", (PackageChanged, "bincount-prod/2"), ["bincount-approval"]),
        ("package_rejected", (PackageChanged, "bincount-prod/2"), ["bincount-approval"]),
        ("package_registered_approved", (PackageChanged, "bincount-prod/2"), ["bincount-approval"]),
        ("package_registered", (PackageChanged, "bincount-prod/2"), []),
        ("package_metadata_edited", (PackageChanged, "bincount-prod/2"), []),
    ],
)
def test_an_event_is_let_through_and_read(name: str, expected: tuple[type, str], rules: list[str]) -> None:
    assert kind_and_name(parse(event(name), "bincount")) == expected
    matched = [rule for rule, pattern in RULES.items() if compile_pattern(json.dumps(pattern))(event(name))]
    assert matched == rules


def test_every_event_file_is_tried_here() -> None:
    assert len(list(EVENTS.glob("*.json"))) == 12


@pytest.mark.parametrize(
    ("name", "member", "value"),
    [
        ("endpoint_in_service", "EndpointName", "shop-prod-staging"),
        ("endpoint_in_service", "EndpointStatus", "CREATING"),
        ("package_approved", "ModelPackageGroupName", "shop-prod"),
    ],
)
def test_the_rules_keep_out_what_is_not_ours(name: str, member: str, value: str) -> None:
    changed = event(name)
    changed["detail"][member] = value
    assert not any(compile_pattern(json.dumps(pattern))(changed) for pattern in RULES.values())


def test_a_group_in_capitals_is_ours() -> None:
    """The service writes names in lower case in ARNs."""
    arn = "arn:aws-cn:sagemaker:cn-north-1:123456789012:model-package/bincount-prod/1"
    found = parse({"Stage": "staging", "ModelPackageArn": arn}, "Bincount")
    assert isinstance(found, Deploy)
    assert found.package.region == "cn-north-1"


@pytest.mark.parametrize(
    "bad",
    [
        None,
        [],
        "text",
        {},
        {"Action": "delete"},
        {"Action": "reconcile"},
        {"Action": "reconcile", "ModelPackageGroupName": "shop-prod"},
        {"Stage": "production", "ModelPackageArn": "x"},
        {"Stage": "staging"},
        {"Stage": "staging", "ModelPackageArn": "arn:aws:sagemaker:us-east-1:123456789012:model-package/shop-prod/1"},
        {"detail-type": "SageMaker Endpoint State Change", "source": "evil", "detail": {}},
        {"detail-type": "SageMaker Endpoint State Change", "source": "aws.sagemaker", "detail": []},
        {"detail-type": "SageMaker Endpoint State Change", "source": "aws.sagemaker", "detail": {"EndpointName": 5}},
        {"detail-type": "SageMaker Model Package State Change", "source": "aws.sagemaker", "detail": {}},
        {"detail-type": "SageMaker Model State Change", "source": "aws.sagemaker", "detail": {}},
    ],
)
def test_other_events_are_refused_in_one_line(bad: object) -> None:
    with pytest.raises(RefusedError) as refused:
        parse(bad, "bincount")
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
members = st.sampled_from(
    ["Action", "Stage", "ModelPackageArn", "ModelPackageGroupName", "detail-type", "source", "detail", "other"]
)


@given(st.dictionaries(members, values | st.sampled_from(["staging", "reconcile", "aws.sagemaker"])))
def test_any_event_is_read_or_refused(anything: dict[str, Any]) -> None:
    try:
        found = parse(anything, "bincount")
    except RefusedError:
        assert is_delivered(anything) == ("detail-type" in anything)
    else:
        assert not isinstance(found, EndpointChanged) or isinstance(found.target, Target)
