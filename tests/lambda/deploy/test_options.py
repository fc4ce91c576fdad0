from __future__ import annotations

from typing import Any

import pytest

from deploy import options
from deploy.errors import RefusedError
from deploy.packages import Package


def package(instance_types: tuple[str, ...] = (), **metadata: str) -> Package:
    return Package("bincount-demo", 1, "arn", metadata=metadata, instance_types=instance_types)


def test_the_metadata_say_how_to_deploy() -> None:
    found = options.of(
        package(
            StagingInstanceType="ml.t2.medium",
            InstanceType="ml.c6i.xlarge",
            InstanceCount="2",
            MaxInstanceCount="4",
            InvocationsPerInstance="90",
            BakeSeconds="0",
            LatencyLimitMs="250",
            CapturePercent="100",
        )
    )
    assert found == options.Options("ml.t2.medium", "ml.c6i.xlarge", 2, 4, 90, 0, 250, 100)
    assert found.scales


def test_a_version_without_metadata_has_defaults() -> None:
    assert options.of(package(("ml.c5.large",))).instance_type == "ml.c5.large"
    found = options.of(package(InstanceCount="3"))
    assert (found.staging_instance_type, found.max_instance_count, found.scales) == ("ml.m5.large", 3, False)


@pytest.mark.parametrize(
    "metadata",
    [
        {"InstanceCount": "0"},
        {"InstanceCount": "two"},
        {"InstanceCount": "-1"},
        {"InstanceCount": "1.5"},
        {"InstanceCount": "٣"},
        {"InstanceCount": "9" * 50},
        {"InstanceCount": "3", "MaxInstanceCount": "2"},
        {"BakeSeconds": "3601"},
        {"CapturePercent": "101"},
        {"LatencyLimitMs": ""},
        {"InstanceType": "m5.large"},
        {"StagingInstanceType": "ml.m5.large x"},
    ],
)
def test_values_that_mean_nothing_are_refused(metadata: dict[str, Any]) -> None:
    with pytest.raises(RefusedError, match="it must"):
        options.of(package(**metadata))
