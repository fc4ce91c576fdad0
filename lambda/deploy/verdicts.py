"""What the function writes into a version's metadata. It writes nothing else, and never an approval."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from deploy.packages import AGAIN, DEPLOYING, PASSED, Package, keys

if TYPE_CHECKING:
    from deploy.environment import Environment

_LONGEST = 256


def sanitised(text: str) -> str:
    r"""Return text as a metadata value takes it: 1 to 256 of `\p{L}\p{Z}\p{N}_.:/=+-@`, single spaces between words."""
    kept = "".join(c if unicodedata.category(c)[0] in "LN" or c in "_.:/=+-@" else " " for c in text)
    return " ".join(kept.split())[:_LONGEST].rstrip() or "-"


def judge(environment: Environment, package: Package, stage: str, status: str, reason: str) -> None:
    """Write a verdict, or a request; the attempt that it ends is forgotten."""
    status_key, reason_key, time_key, attempt_key = keys(stage)
    written = {status_key: status, reason_key: sanitised(reason), time_key: _now()}
    _update(environment, package, CustomerMetadataProperties=written, CustomerMetadataPropertiesToRemove=[attempt_key])


def mark_attempt(environment: Environment, package: Package, stage: str, config: str) -> None:
    """Write that a config is on its way.

    A version that has passed and is brought back stays Passed meanwhile: others rely on that.
    """
    status_key, reason_key, time_key, attempt_key = keys(stage)
    written = {attempt_key: config, time_key: _now(), reason_key: sanitised(f"config {config}")}
    if package.mark(stage).status != PASSED:
        written[status_key] = DEPLOYING
    _update(environment, package, CustomerMetadataProperties=written)


def mark_again(environment: Environment, package: Package, stage: str, reason: str) -> None:
    """Write that the endpoint of this version is to be made again, once the failed one is gone."""
    _, reason_key, _, attempt_key = keys(stage)
    _update(environment, package, CustomerMetadataProperties={attempt_key: AGAIN, reason_key: sanitised(reason)})


def _update(environment: Environment, package: Package, **members: Any) -> None:  # noqa: ANN401
    environment.sagemaker.update_model_package(ModelPackageArn=package.arn, **members)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
