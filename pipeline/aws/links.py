"""Addresses in the AWS console of what an execution runs and makes.

Of jobs and their logs the addresses are as the SageMaker SDK builds them; CloudWatch wants what is in its own fragment
escaped twice, with $25 for the percent sign. For executions and versions there is no page outside of Studio, whose
address holds the user's domain: the link goes to its door, and the words beside it say where to go from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from pipeline.aws.logs import GROUPS
from pipeline.aws.models import Execution, Job

_PAGES = {"training": "jobs", "processing": "processing-jobs", "tuning": "hyper-tuning-jobs"}
_DOMAINS = {"cn": "console.amazonaws.cn", "us-gov": "console.amazonaws-us-gov.com"}


def region_of(arn: str) -> str:
    """Return the region in an ARN."""
    return arn.split(":")[3]


def job_url(region: str, job: Job) -> str:
    """Return the job's page."""
    return f"{_console(region)}/sagemaker/home?region={region}#/{_PAGES[job.kind]}/{job.name}"


def logs_url(region: str, job: Job) -> str:
    """Return the page with the log streams of the job's hosts; of a tuning job, which has none, the job's page."""
    if job.kind not in GROUPS:
        return job_url(region, job)
    group = GROUPS[job.kind].replace("/", "$252F")
    page = f"{_console(region)}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}"
    return f"{page}$3FlogStreamNameFilter$3D{job.name}$252F"


def object_url(region: str, uri: str) -> str:
    """Return the page of an object in S3."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return f"{_console(region)}/s3/object/{bucket}?region={region}&prefix={quote(key)}"


def studio_url(region: str) -> str:
    """Return the page that opens Studio."""
    return f"{_console(region)}/sagemaker/home?region={region}#/studio-landing"


def links(execution: Execution) -> Iterator[tuple[str, str]]:
    """Yield pairs of a word and an address: the execution, each step's job and its log, the version."""
    region = region_of(execution.arn)
    yield "studio", f"{studio_url(region)} (Pipelines, {execution.pipeline}, {execution.id})"
    for step in execution.steps:
        if step.job is None or step.cached_from is not None:
            continue
        yield f"{step.name} job", job_url(region, step.job)
        for index, trial in enumerate(step.trials, start=1):
            yield f"{step.name}/{index} log", logs_url(region, trial.job)
        if not step.trials and step.job.kind in GROUPS:
            yield f"{step.name} log", logs_url(region, step.job)
    made = next((step.made for step in execution.steps if step.made), None)
    if made is not None:
        group, _, number = made.partition("model-package/")[2].rpartition("/")
        yield "registry", f"{studio_url(region)} (Models, Registered models, {group}, version {number})"


def _console(region: str) -> str:
    partition = region.rsplit("-", 2)[0]
    domain = _DOMAINS.get(partition)
    return f"https://{domain}" if domain else f"https://{region}.console.aws.amazon.com"
