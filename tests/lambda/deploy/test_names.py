from __future__ import annotations

import pytest

from deploy.errors import RefusedError
from deploy.names import Target, alarm_names, digest, own_group, package_arn, target_of_endpoint

STAGING = Target("bincount-demo", "staging")
ARN = "arn:aws:sagemaker:us-east-1:123456789012:model-package/bincount-demo/12"


def test_a_name_says_its_version_and_content() -> None:
    name = STAGING.name(12, {"a": 1, "b": [2]})
    assert name == f"bincount-demo-staging-v12-{digest({'b': [2], 'a': 1})}"
    assert STAGING.version_of(name) == 12
    assert name != STAGING.name(12, {"a": 1, "b": [3]})


@pytest.mark.parametrize(
    "name",
    [
        "",
        "bincount-demo-staging",
        "bincount-demo-staging-v1",
        "bincount-demo-staging-v1-abcdefgh",
        "bincount-demo-staging-v0-00000000",
        "bincount-demo-staging-v01-00000000",
        "bincount-demo-staging-v1-00000000-5xx",
        "bincount-demo-production-v1-00000000",
        "xbincount-demo-staging-v1-00000000",
        "bincount-demo-staging-v1-00000000\n",
    ],
)
def test_other_names_are_of_no_version(name: str) -> None:
    assert STAGING.version_of(name) is None


def test_too_long_a_name_is_refused() -> None:
    target = Target("bincount-" + "a" * 20, "production")
    assert len(target.name(99_999, {})) <= 63
    with pytest.raises(RefusedError, match="shorten the group's name"):
        Target("bincount-" + "a" * 40, "production").name(1, {})


def test_alarms_belong_to_a_config() -> None:
    config = STAGING.name(1, {})
    assert [STAGING.config_of_alarm(alarm) for alarm in alarm_names(config)] == [config, config]
    assert STAGING.config_of_alarm(f"{config}-other") is None
    assert STAGING.config_of_alarm("bincount-demo-staging-5xx") is None


def test_an_endpoint_is_of_a_group_and_a_stage() -> None:
    assert target_of_endpoint("bincount-demo-staging", "bincount") == STAGING
    assert target_of_endpoint("bincount-a-staging-production", "bincount") == Target("bincount-a-staging", "production")


@pytest.mark.parametrize("name", ["", "bincount-demo", "staging", "bincount-staging", "other-demo-staging", "None"])
def test_other_endpoints_are_refused(name: str) -> None:
    with pytest.raises(RefusedError, match="none of this function's"):
        target_of_endpoint(name, "bincount")


@pytest.mark.parametrize("group", [None, 1, "", "bincount", "bincount-", "other-demo", "bincount-a b", "bincount-a\n"])
def test_other_groups_are_refused(group: object) -> None:
    with pytest.raises(RefusedError, match="none of this function's"):
        own_group(group, "bincount")


def test_the_parts_of_an_arn() -> None:
    found = package_arn(ARN)
    assert (found.region, found.account, found.group, found.version) == (
        "us-east-1",
        "123456789012",
        "bincount-demo",
        12,
    )


@pytest.mark.parametrize(
    "arn",
    [
        None,
        5,
        "",
        ARN + "\n",
        ARN + "/1",
        ARN.removesuffix("/12"),
        ARN.replace("/12", "/0"),
        ARN.replace("demo", "a_b"),
    ],
)
def test_other_arns_are_refused(arn: object) -> None:
    with pytest.raises(RefusedError, match="no ARN of a versioned model package"):
        package_arn(arn)
