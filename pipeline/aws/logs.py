"""What a job printed: CloudWatch Logs on AWS, the job's log file on this machine, by the same calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws.errors import aws_errors, is_missing
from pipeline.aws.models import Job
from pipeline.aws.outages import Outage
from pipeline.aws.polling import looks
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

GROUPS = {"training": "/aws/sagemaker/TrainingJobs", "processing": "/aws/sagemaker/ProcessingJobs"}
"""The log group of each kind of job; a tuning job has none: its trials are training jobs."""


@dataclass(frozen=True)
class Line:
    """A line that a host of the job printed; `host` is as `algo-1`."""

    host: str
    text: str


@dataclass(frozen=True)
class Page:
    """Lines, and where to go on: hand `tokens` to the next `read`."""

    lines: tuple[Line, ...]
    tokens: Mapping[str, str] = field(default_factory=dict)


@aws_errors()
def read(session: boto3.Session, job: Job, tokens: Mapping[str, str] | None = None) -> Page:
    """Return what a job has printed since `tokens` (from its start when None), host after host.

    A job that has printed nothing yet has no lines. Raises UserError.
    """
    if job.kind not in GROUPS:
        raise UserError(f"a {job.kind} job prints nothing itself: ask for the log of one of its trials")
    client: Any = session.client("logs")
    lines: list[Line] = []
    reached = dict(tokens or {})
    for stream in _streams(client, job):
        host = "-".join(stream.rpartition("/")[2].split("-")[:2])
        lines += [Line(host, text) for text in _new_lines(client, GROUPS[job.kind], stream, reached)]
    return Page(tuple(lines), reached)


def _streams(client: Any, job: Job) -> list[str]:  # noqa: ANN401
    request = {"logGroupName": GROUPS[job.kind], "logStreamNamePrefix": f"{job.name}/"}
    try:
        pages = list(client.get_paginator("describe_log_streams").paginate(**request))
    except ClientError as error:
        if is_missing(error):  # the account's first job makes the group
            return []
        raise
    return [stream["logStreamName"] for page in pages for stream in page["logStreams"]]


def _new_lines(client: Any, group: str, stream: str, reached: dict[str, str]) -> Iterator[str]:  # noqa: ANN401
    request = {"logGroupName": group, "logStreamName": stream, "startFromHead": True}
    while True:
        token = reached.get(stream)
        answer = client.get_log_events(**request, **({"nextToken": token} if token else {}))
        yield from (event["message"] for event in answer["events"])
        reached[stream] = answer["nextForwardToken"]
        if reached[stream] == token:  # the same token again: this is the end for now
            return


def follow(
    session: boto3.Session,
    job: Job,
    ended: Callable[[], bool],
    every: float = 1.0,
    sleep: Callable[[float], None] = time.sleep,
    outage: Outage | None = None,
) -> Iterator[Line]:
    """Yield a job's lines as they come, until `ended()` says that the job has ended and all of them are read.

    Throttling is waited out, and so is what `outage` bears; CloudWatch, where there may be one, has the last lines some
    seconds after the end. Raises UserError.
    """
    tokens: Mapping[str, str] = {}
    over = False

    def look() -> tuple[bool, Page]:
        return ended(), read(session, job, tokens)

    for seen in looks(look, every, sleep, outage):
        if seen is None:
            continue
        late = outage is not None and not over
        over, page = seen
        tokens = page.tokens
        yield from page.lines
        if over and not late:
            return
