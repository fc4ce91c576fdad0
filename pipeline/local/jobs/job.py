"""What processing and training jobs have in common: folders, hosts, status, failure."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.local.context import Context, StepCall, token
from pipeline.local.failures import MaxRuntimeError, StepError, StepStoppedError
from pipeline.local.jobs.hosts import Ending, Hosts, Limits
from pipeline.local.jobs.log import JobLog
from pipeline.local.jobs.outputs import clear
from pipeline.local.processes import started
from pipeline.local.runner import Launch

_STATUS = {"training-job": "TrainingJobStatus", "processing-job": "ProcessingJobStatus"}
_FAILURE_CHARACTERS = 1024


def job_name(context: Context, call: StepCall) -> str:
    """Name a job as the service names those of a pipeline."""
    step = call.name[:20].replace("_", "-")
    return f"pipelines-{context.execution_id}-{step}-{token(10)}-{call.attempt - 1}"


def host_names(count: int) -> tuple[str, ...]:
    """Return algo-1, algo-2, ... in the service's order, which is that of text."""
    if not isinstance(count, int) or count < 1:
        raise StepError(f"ClientError: InstanceCount is {count!r}: it must be 1 or more")
    return tuple(sorted(f"algo-{number}" for number in range(1, count + 1)))


def texts(values: Mapping[str, Any] | list[Any], what: str) -> None:
    """Refuse values that are no strings, as the service does. Raises StepError."""
    items = values.items() if isinstance(values, Mapping) else enumerate(values)
    for key, value in items:
        if not isinstance(value, str):
            raise StepError(f"ClientError: {what} {key} is {value!r}, not a string: use .to_string() in the pipeline")


@dataclass(frozen=True)
class Job:
    """A job on disk and in the store."""

    context: Context
    kind: str
    name: str
    hosts: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """The job's folder: the log, and a folder a host."""
        return self.context.home.jobs / self.name

    def base(self, host: str) -> Path:
        """Return what stands for the host's /opt/ml."""
        return self.folder / host

    def create(self, body: Mapping[str, Any], parent: str) -> None:
        """Make the job's folders and record it as in progress."""
        clear(self.folder)
        for host in self.hosts:
            self.base(host).mkdir()
        now = time.time()
        times = {"CreationTime": now, "LastModifiedTime": now}
        state: dict[str, Any] = {
            _STATUS[self.kind]: "InProgress",
            "_folder": str(self.folder),
            "_pids": [],
            "_containers": self.context.containers,
        }
        self.context.store.create(self.kind, self.name, {**body, **times, **state}, parent)

    def update(self, status: str | None = None, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
        """Change the job's record and return it."""
        if status is not None:
            changes[_STATUS[self.kind]] = status
        return self.context.store.update(self.kind, self.name, LastModifiedTime=time.time(), **changes)

    def write_config(self, host: str, folder: str, files: Mapping[str, Any]) -> None:
        """Write the host's configuration files, resourceconfig.json among them."""
        resources = {
            "current_host": host,
            "hosts": list(self.hosts),
            "network_interface_name": self.context.runner.interface,
            "current_group_name": "homogeneousCluster",
        }
        target = self.base(host) / folder
        target.mkdir(parents=True, exist_ok=True)
        for name, content in {"resourceconfig": resources, **files}.items():
            (target / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")

    def threads(self, width: int) -> int:
        """Return a host's share of the cores when `width` jobs like this one run side by side."""
        total = self.context.slots.total
        side_by_side = max(1, min(width, total // min(len(self.hosts), total)))
        return max(1, total // (side_by_side * len(self.hosts)))

    def run(self, launches: list[Launch], log: JobLog, limits: Limits, watch: Callable[[list[str]], None]) -> Ending:
        """Run the hosts to their end, with their processes on record should this engine be killed."""
        hosts = Hosts(self.context.runner, launches, log)
        self.update(_pids=[[pid, started(pid)] for pid in hosts.pids])
        ending = hosts.wait(limits, watch)
        self.update(_pids=[])
        return ending

    def failure(self, ending: Ending, log: JobLog) -> StepError:
        """Say why the job failed: what a host wrote to its failure file, else its last line of output."""
        if ending.how == "Killed":
            number = -ending.code if ending.code < 0 else ending.code - 128
            hint = " (did memory run out?)" if number == signal.SIGKILL else ""
            reason = f"InternalServerError: {ending.host} was killed by signal {number}{hint}"
            return StepError(reason, "SageMaker.JOB_INTERNAL_ERROR")
        if ending.host and (refusal := self.context.runner.refusal(ending.code, log.path)):
            return StepError(f"ClientError: {refusal}")
        for host in sorted(self.hosts, key=lambda host: host != ending.host):
            path = self.base(host) / "output" / "failure"
            if path.is_file() and not path.is_symlink():
                with path.open(encoding="utf-8", errors="replace") as file:
                    text = " ".join(file.read(_FAILURE_CHARACTERS).split())
                if text:
                    return StepError(f"AlgorithmError: {text}, exit code: {ending.code}")
        return StepError(f"AlgorithmError: {log.last_line[:900]}, exit code: {ending.code}")


def unless_completed(job: Job, ending: Ending, log: JobLog) -> None:
    """Raise StepError for a job that failed or ran too long, StepStoppedError for one that was stopped."""
    if ending.how == "Stopped":
        raise StepStoppedError
    if ending.how == "MaxRuntimeExceeded":
        raise MaxRuntimeError(f"ClientError: job {job.name} ran longer than its MaxRuntimeInSeconds and was stopped")
    if ending.how != "Completed":
        raise job.failure(ending, log)
