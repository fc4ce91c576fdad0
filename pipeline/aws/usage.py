"""What an execution's jobs are billed for, and the machines that endpoints serve on, as the service describes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pipeline.aws.errors import aws_errors
from pipeline.aws.models import Execution, Step

if TYPE_CHECKING:
    import boto3

_RUNNING = frozenset({"InProgress", "Stopping"})


@dataclass(frozen=True)
class Usage:
    """The machines of one job that are alike."""

    step: str
    job: str
    instance_type: str
    instances: int
    disk_gb: int
    """Volume of each instance that was asked for."""
    seconds: float
    """Billable, of each instance; so far where it runs."""
    on_demand_seconds: float
    """What would have been billed on demand: the same, or more on spot machines."""
    running: bool


@dataclass(frozen=True)
class Serving:
    """An endpoint's machines as they are now; `instance_type` is empty where it has none of its own (serverless)."""

    endpoint: str
    instance_type: str
    instances: int


@aws_errors()
def usages(session: boto3.Session, execution: Execution, now: datetime) -> list[Usage]:
    """Return what the jobs of an execution use.

    A step whose result was cached names the job of another execution: it uses nothing. Of a step that was tried again,
    the service names the last job alone.

    Args:
        session: of the account.
        execution: with its steps, as `pipeline.aws.executions.describe` gives it.
        now: what the time of running jobs is counted to.

    Raises:
        UserError: a job is not there any more, or the service refuses.
    """
    client: Any = session.client("sagemaker")
    return [usage for step in execution.steps if step.cached_from is None for usage in _step(client, step, now)]


def _step(client: Any, step: Step, now: datetime) -> Iterator[Usage]:  # noqa: ANN401
    if step.job is not None and step.job.kind == "processing":
        yield _processing(client, step.name, step.job.name, now)
    names = [trial.name for trial in step.trials]
    if step.job is not None and step.job.kind == "training":
        names.append(step.job.name)
    for name in names:
        yield from _training(client, step.name, name, now)


def _processing(client: Any, step: str, name: str, now: datetime) -> Usage:  # noqa: ANN401
    about = client.describe_processing_job(ProcessingJobName=name)
    cluster = about["ProcessingResources"]["ClusterConfig"]
    seconds = _elapsed(about.get("ProcessingStartTime"), about.get("ProcessingEndTime"), now)
    running = about["ProcessingJobStatus"] in _RUNNING
    return _usage(step, name, cluster, cluster["VolumeSizeInGB"], (seconds, seconds), running)


def _training(client: Any, step: str, name: str, now: datetime) -> Iterator[Usage]:  # noqa: ANN401
    """Yield the usage of a training job, one for each of its instance groups.

    BillableTimeInSeconds is of each instance; less of it than TrainingTimeInSeconds is what spot machines save
    (DescribeTrainingJob). A running job has neither yet.
    """
    about = client.describe_training_job(TrainingJobName=name)
    elapsed = _elapsed(about.get("TrainingStartTime"), about.get("TrainingEndTime"), now)
    billable = about.get("BillableTimeInSeconds", elapsed)
    seconds = (billable, max(billable, about.get("TrainingTimeInSeconds", billable)))
    resources = about["ResourceConfig"]
    for group in resources.get("InstanceGroups") or [resources]:
        running = about["TrainingJobStatus"] in _RUNNING
        yield _usage(step, name, group, resources.get("VolumeSizeInGB", 0), seconds, running)


def _usage(
    step: str, job: str, machines: Mapping[str, Any], disk_gb: int, seconds: tuple[float, float], running: bool
) -> Usage:
    return Usage(step, job, machines["InstanceType"], machines["InstanceCount"], disk_gb, *seconds, running)


def _elapsed(started: datetime | None, ended: datetime | None, now: datetime) -> float:
    return 0.0 if started is None else max(0.0, ((ended or now) - started).total_seconds())


@aws_errors()
def serving(session: boto3.Session, names: list[str]) -> list[Serving]:
    """Return the machines of endpoints that are up. Raises UserError."""
    client: Any = session.client("sagemaker")
    found: list[Serving] = []
    for name in names:
        about = client.describe_endpoint(EndpointName=name)
        config = client.describe_endpoint_config(EndpointConfigName=about["EndpointConfigName"])
        types = {one["VariantName"]: one.get("InstanceType", "") for one in config["ProductionVariants"]}
        found += [
            Serving(name, types.get(variant["VariantName"], ""), variant.get("CurrentInstanceCount", 0))
            for variant in about.get("ProductionVariants", [])
        ]
    return found
