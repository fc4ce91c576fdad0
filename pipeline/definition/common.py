"""What the jobs of every kind share: retries, caching, tags, places in S3."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sagemaker.core.helper.pipeline_variable import PipelineVariable
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.mlops.workflow.retry import (
    RetryPolicy,
    SageMakerJobExceptionTypeEnum,
    SageMakerJobStepRetryPolicy,
    StepExceptionTypeEnum,
    StepRetryPolicy,
)
from sagemaker.mlops.workflow.steps import CacheConfig

from pipeline.definition.parameters import Parameters
from pipeline.sdk import OfflineSession
from pipeline.settings import PROJECT, Settings


@dataclass(frozen=True)
class Context:
    """What the arguments of any step are made from."""

    settings: Settings
    parameters: Parameters
    session: OfflineSession

    def execution_uri(self, *path: str) -> Join:
        """Return the S3 URI of something that belongs to one execution. Not for a member that is a cache key."""
        root = f"s3://{self.settings.aws.bucket}/{PROJECT}/executions"
        return Join(on="/", values=[root, ExecutionVariables.PIPELINE_EXECUTION_ID, *path])

    def tags(self, step: str) -> list[dict[str, str]]:
        """Return the tags of a job."""
        tags = {"project": PROJECT, "profile": self.settings.profile, "step": step, **self.settings.aws.tags}
        return [{"Key": key, "Value": value} for key, value in tags.items()]


def service_retries() -> RetryPolicy:
    """Retry a call that the service refused for its own reasons: any kind of step."""
    faults = [StepExceptionTypeEnum.SERVICE_FAULT, StepExceptionTypeEnum.THROTTLING]
    return StepRetryPolicy(faults, interval_seconds=10, backoff_rate=2.0, max_attempts=5)


def capacity_retries() -> RetryPolicy:
    """Wait for machines and quota: half an hour at first, a day at most."""
    reasons = [SageMakerJobExceptionTypeEnum.CAPACITY_ERROR, SageMakerJobExceptionTypeEnum.RESOURCE_LIMIT]
    return SageMakerJobStepRetryPolicy(reasons, interval_seconds=1800, backoff_rate=1.5, expire_after_mins=1440)


def job_options(context: Context, description: str) -> dict[str, Any]:
    """Caching and retries of a processing or training step: an internal error of the service is not the job's fault."""
    internal = SageMakerJobStepRetryPolicy(
        [SageMakerJobExceptionTypeEnum.INTERNAL_ERROR], interval_seconds=60, backoff_rate=2.0, max_attempts=3
    )
    return _options(context, description, [service_retries(), internal, capacity_retries()])


def tuning_options(context: Context, description: str) -> dict[str, Any]:
    """Caching and retries of a tuning step, which ignores JOB_INTERNAL_ERROR: a RetryStrategy retries its trials."""
    return _options(context, description, [service_retries(), capacity_retries()])


def _options(context: Context, description: str, retries: list[RetryPolicy]) -> dict[str, Any]:
    cache = CacheConfig(enable_caching=True, expire_after=f"P{context.settings.cache_days}D")
    return {"description": description, "cache_config": cache, "retry_policies": retries}


def uri_below(uri: PipelineVariable | str, *path: str) -> Join:
    """Return an S3 URI below one that is known at run time only."""
    return Join(on="/", values=[uri, *path])
