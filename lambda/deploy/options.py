"""How a version wants to be deployed: settings that its metadata brings along, as text."""

from __future__ import annotations

import re
from dataclasses import dataclass

from deploy.errors import RefusedError
from deploy.packages import Package

_INSTANCE_TYPE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")


@dataclass(frozen=True)
class Options:
    """The settings, with those of a version that was registered without them as defaults."""

    staging_instance_type: str
    instance_type: str
    """In production, as are those that follow."""
    instance_count: int
    max_instance_count: int
    """Above instance_count: autoscaling up to it."""
    invocations_per_instance: int
    """A minute; autoscaling keeps each instance at about that."""
    bake_seconds: int
    """For which the new version serves and the old one stands by."""
    latency_limit_ms: int
    """Of the model, on average over a minute; above it the update is rolled back."""
    capture_percent: int
    """Of requests and answers, kept in S3; 0: off."""

    @property
    def scales(self) -> bool:
        """Whether production has autoscaling."""
        return self.max_instance_count > self.instance_count


def of(package: Package) -> Options:
    """Return a version's options. Raises RefusedError: a value that means nothing."""
    machine = next(iter(package.instance_types), "ml.m5.large")
    count = _whole(package, "InstanceCount", 1, 1, 100)
    return Options(
        staging_instance_type=_instance_type(package, "StagingInstanceType", machine),
        instance_type=_instance_type(package, "InstanceType", machine),
        instance_count=count,
        max_instance_count=_whole(package, "MaxInstanceCount", count, count, 100),
        invocations_per_instance=_whole(package, "InvocationsPerInstance", 300, 1, 1_000_000),
        bake_seconds=_whole(package, "BakeSeconds", 300, 0, 3600),
        latency_limit_ms=_whole(package, "LatencyLimitMs", 1000, 1, 60_000),
        capture_percent=_whole(package, "CapturePercent", 0, 0, 100),
    )


def _whole(package: Package, name: str, default: int, lowest: int, highest: int) -> int:
    text = package.metadata.get(name, str(default))
    value = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else -1
    if not lowest <= value <= highest:
        raise RefusedError(f"version {package.version} has {name} {text}: it must be {lowest} to {highest}")
    return value


def _instance_type(package: Package, name: str, default: str) -> str:
    text = package.metadata.get(name, default)
    if not _INSTANCE_TYPE.fullmatch(text):
        raise RefusedError(f"version {package.version} has {name} {text}: it must look like ml.m5.large")
    return text
