"""CloudWatch Logs: a job's log file, as one stream a host.

The file has the lines of all hosts, each behind `[algo-1] `. A token is a place in the file in bytes.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pipeline.local.aws.account import Account
from pipeline.local.aws.answers import Answer, Request, ServiceError, operation, refuse

_GROUPS = {"/aws/sagemaker/TrainingJobs": "training-job", "/aws/sagemaker/ProcessingJobs": "processing-job"}
_RUNNING = {"InProgress", "Stopping"}
_MOST_BYTES = 1 << 20  # of one answer, as on AWS
_MOST_EVENTS = 10_000
_HOST = re.compile(rb"\[(algo-\d+)\] ?")
_BLANK = " "  # an event has at least one character
_FIRST_HOST = "algo-1"


@operation("logs", "DescribeLogStreams")
def describe_log_streams(account: Account, request: Request) -> Answer:
    """Answer the streams whose name starts with a prefix: `<job name>/<host>-<start in ms>`."""
    refuse(request, "logGroupIdentifier", "orderBy", "nextToken")
    prefix = request.get("logStreamNamePrefix", "")
    name = prefix.partition("/")[0]
    jobs = [job for job in account.store.find(_kind(request)) if _name(job).startswith(name) and _log(job).is_file()]
    streams = [stream for job in jobs for stream in _streams(job) if stream.startswith(prefix)]
    listed = sorted(streams, reverse=request.get("descending", False))[: request.get("limit", 50)]
    return {"logStreams": [{"logStreamName": stream} for stream in listed]}


def _kind(request: Request) -> str:
    group = request.get("logGroupName", "")
    if group not in _GROUPS:
        raise ServiceError("ResourceNotFoundException", f"The specified log group does not exist: {group}")
    return _GROUPS[group]


def _name(job: dict[str, Any]) -> str:
    return str(job.get("TrainingJobName") or job.get("ProcessingJobName"))


def _log(job: dict[str, Any]) -> Path:
    return Path(job.get("_folder") or "/nowhere") / "log.txt"


def _streams(job: dict[str, Any]) -> list[str]:
    cluster = job.get("ResourceConfig") or job.get("ProcessingResources", {}).get("ClusterConfig", {})
    hosts = range(1, int(cluster.get("InstanceCount", 1)) + 1)
    return [f"{_name(job)}/algo-{host}-{int(job['CreationTime'] * 1000)}" for host in hosts]


@operation("logs", "GetLogEvents")
def get_log_events(account: Account, request: Request) -> Answer:
    """Answer a stream's lines from a token on, or its first or last ones; at the end the same token comes again."""
    refuse(request, "logGroupIdentifier", "startTime", "endTime")
    stream = request["logStreamName"]
    job = account.store.get(_kind(request), stream.partition("/")[0])
    if job is None or stream not in _streams(job) or not _log(job).is_file():
        raise ServiceError("ResourceNotFoundException", "The specified log stream does not exist.")
    host = re.sub(r"-\d+$", "", stream.partition("/")[2])
    limit = request.get("limit", _MOST_EVENTS)
    start, end, lines = _read(_log(job), request, host, limit, complete=_status(job) not in _RUNNING)
    time = int(job["CreationTime"] * 1000)
    events = [{"timestamp": time, "message": line, "ingestionTime": time} for line in lines]
    return {"events": events, "nextForwardToken": f"f/{end}", "nextBackwardToken": f"b/{start}"}


def _status(job: dict[str, Any]) -> str:
    return str(job.get("TrainingJobStatus") or job.get("ProcessingJobStatus"))


def _read(path: Path, request: Request, host: str, limit: int, *, complete: bool) -> tuple[int, int, list[str]]:
    """Return where the answer's lines start and end in the file, and the lines of the host between."""
    size = path.stat().st_size
    direction, place = _token(request, size)
    forward = direction == "f"
    start = min(place, size) if forward else max(0, place - _MOST_BYTES)
    with path.open("rb") as file:
        file.seek(start)
        chunk = file.read(_MOST_BYTES if forward else place - start)
    if not forward and start > 0:  # begins inside a line
        skipped = chunk.find(b"\n") + 1
        start, chunk = start + skipped, chunk[skipped:]
    ends_file = start + len(chunk) >= size
    lines = _whole_lines(chunk, last_counts=complete and ends_file)
    mine = [index for index, line in enumerate(lines) if _host(line) == host]
    if len(mine) > limit:
        first, last = (0, mine[limit]) if forward else (mine[-limit], len(lines))
        start += sum(map(len, lines[:first]))
        lines = lines[first:last]
    shown = [_HOST.sub(b"", line, count=1).decode("utf-8", "replace") for line in lines if _host(line) == host]
    return start, start + sum(map(len, lines)), [line.rstrip("\r\n") or _BLANK for line in shown]


def _token(request: Request, size: int) -> tuple[str, int]:
    token = request.get("nextToken")
    if token is None:
        return ("f", 0) if request.get("startFromHead") else ("b", size)
    found = re.fullmatch(r"([fb])/(\d{1,18})", token)
    if not found:
        raise ServiceError("InvalidParameterException", "The specified nextToken is invalid.")
    return found[1], min(int(found[2]), size)


def _whole_lines(chunk: bytes, *, last_counts: bool) -> list[bytes]:
    lines = re.findall(rb"[^\n]*\n|[^\n]+", chunk)
    if not lines or lines[-1].endswith(b"\n") or last_counts:
        return lines
    # What a job is still writing is shown once it is a line; a line longer than an answer is shown in pieces.
    return lines if len(lines) == 1 and len(chunk) == _MOST_BYTES else lines[:-1]


def _host(line: bytes) -> str:
    found = _HOST.match(line)
    return found[1].decode() if found else _FIRST_HOST
