"""Step caching: an earlier result of the same pipeline is taken where the documented members are the same."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Mapping
from typing import Any

from pipeline.local.failures import StepError
from pipeline.local.jobs.outputs import fingerprint
from pipeline.local.s3 import LocalS3
from pipeline.local.store import Document, Store

# https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-default-keys.html
_KEYS: dict[str, tuple[str, ...]] = {
    "Processing": ("AppSpecification", "Environment", "ProcessingInputs"),
    "Training": (
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
    "Tuning": ("HyperParameterTuningJobConfig", "TrainingJobDefinition"),
}
# Of a tuning job's training definition, what is in its key.
_TRIAL_KEYS = (
    "AlgorithmSpecification",
    "HyperParameterRanges",
    "InputDataConfig",
    "StaticHyperParameters",
    "TuningObjective",
)
_DURATION = re.compile(r"P?(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_SECONDS = (31_536_000, 2_592_000, 604_800, 86_400, 3600, 60, 1)


def cache_key(type: str, arguments: Mapping[str, Any]) -> str | None:
    """Return a digest of the members that the service compares, or None for steps that are never cached."""
    if type not in _KEYS:
        return None
    members = {name: arguments[name] for name in _KEYS[type] if name in arguments}
    if type == "Tuning":
        trial = members.get("TrainingJobDefinition", {})
        members["TrainingJobDefinition"] = {name: trial[name] for name in _TRIAL_KEYS if name in trial}
    return hashlib.sha256(json.dumps([type, members], sort_keys=True).encode()).hexdigest()


def expire_seconds(config: Mapping[str, Any]) -> float:
    """Return how old a result may be, in seconds. Raises StepError for what is no ISO 8601 duration."""
    text = config.get("ExpireAfter")
    if text is None:
        return float("inf")
    match = _DURATION.fullmatch(str(text).upper())
    if match is None or not any(match.groups()):
        raise StepError(f"ClientError: CacheConfig: ExpireAfter {text!r} is no ISO 8601 duration such as P30D or PT1H")
    return sum(int(number or 0) * seconds for number, seconds in zip(match.groups(), _SECONDS, strict=True))


def artifact_prints(s3: LocalS3, artifacts: tuple[str, ...]) -> dict[str, str | None]:
    """Return what is at each S3 address now, to be compared later."""
    return {uri: fingerprint(s3, uri) for uri in artifacts}


def find(
    store: Store, s3: LocalS3, pipeline: str, step: str, key: str, max_age: float, *, contained: bool = False
) -> tuple[str, Document] | None:
    """Return the execution ARN and step document of the latest result to reuse, or None.

    Only steps that did the work count, and only while the artifacts that they left are still there as they were.
    What a process did is nothing to an execution in containers (`contained`), which is to show that the images work.
    """
    for execution in reversed(store.find("execution", pipeline)):
        if bool(execution.get("_containers")) != contained:
            continue
        arn = execution["PipelineExecutionArn"]
        found = store.get("step", f"{arn}/{step}")
        if found is None or found["StepStatus"] != "Succeeded" or found.get("_cache_key") != key:
            continue
        if "CacheHitResult" in found or time.time() - found["EndTime"] > max_age:
            continue
        if all(fingerprint(s3, uri) == known for uri, known in found.get("_artifacts", {}).items()):
            return arn, found
    return None
