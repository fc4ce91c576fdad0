"""Training jobs: channels placed, one process a host, metrics read, checkpoints kept, model.tar.gz packed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.local.context import Context, StepCall, StepResult
from pipeline.local.failures import MaxRuntimeError, StepError, StepStoppedError, explain
from pipeline.local.jobs.checkpoints import Checkpoints
from pipeline.local.jobs.hosts import Ending, Limits
from pipeline.local.jobs.inputs import Input, for_host, place
from pipeline.local.jobs.job import Job, host_names, job_name, texts, unless_completed
from pipeline.local.jobs.log import JobLog, Metrics
from pipeline.local.jobs.outputs import clear, join, pack, upload
from pipeline.local.jobs.training_contract import config_files, launch

_ONE_DAY = 86_400.0
_CHANNEL = re.compile(r"(?!\.+$)[A-Za-z0-9._-]{1,64}")  # no folder outside its own
_SYNC_SECONDS = 1.0  # between two looks at the checkpoints


def run(context: Context, call: StepCall) -> StepResult:
    """Run a Training step's job. Raises StepError, StepStoppedError."""
    job = TrainingJob.create(context, job_name(context, call), call.arguments, parent=call.id, width=call.width)
    context.store.update("step", call.id, Metadata={"TrainingJob": {"Arn": job.arn}}, _job=job.job.name)
    done = job.run(
        started=lambda: context.store.update("step", call.id, StepStatus="Executing"),
        measured=lambda metrics: context.store.update("step", call.id, _metrics=metrics.last),
    )
    return StepResult(done, (done["ModelArtifacts"]["S3ModelArtifacts"],))


@dataclass
class TrainingJob:
    """One training job, of a Training step or a trial of a tuning job."""

    job: Job
    request: dict[str, Any]
    arn: str
    width: int
    metrics: Metrics
    give_up: Callable[[], bool] = lambda: False
    _synced: float = field(default=0.0)

    @classmethod
    def create(
        cls,
        context: Context,
        name: str,
        request: dict[str, Any],
        *,
        parent: str,
        width: int,
        **private: Any,  # noqa: ANN401
    ) -> TrainingJob:
        """Record a new job as in progress. Raises StepError for a request that the service would refuse."""
        texts(request.get("HyperParameters", {}), "HyperParameters")
        texts(request.get("Environment", {}), "Environment")
        hosts = host_names(request["ResourceConfig"]["InstanceCount"])
        job = Job(context, "training-job", name, hosts)
        arn = context.arn("training-job", name)
        model = join(request["OutputDataConfig"]["S3OutputPath"], name, "output", "model")
        if not _uncompressed(request):
            model += ".tar.gz"
        body = {
            **request,
            "TrainingJobName": name,
            "TrainingJobArn": arn,
            "ModelArtifacts": {"S3ModelArtifacts": model},
            "SecondaryStatus": "Starting",
        }
        metrics = Metrics(request["AlgorithmSpecification"].get("MetricDefinitions", []))
        job.create({**body, **private}, parent)
        return cls(job, request, arn, width, metrics)

    def run(self, started: Callable[[], object], measured: Callable[[Metrics], object]) -> dict[str, Any]:
        """Run to the end and return the job's description. Raises StepError, StepStoppedError.

        `started` is called when the job has its cores, `measured` when its log has shown new values.
        """
        context = self.job.context
        try:
            with context.slots.take(len(self.job.hosts), context.stop):
                started()
                self._work_until_done(measured)
        except StepStoppedError:
            self._ended("Stopped", "Stopped")
            raise
        except Exception as error:
            failure = explain(error)
            if isinstance(failure, MaxRuntimeError):
                self._ended("Stopped", "MaxRuntimeExceeded")
            else:
                self._ended("Failed", "Failed", FailureReason=str(failure))
            raise failure from error
        return self._ended("Completed", "Completed")

    def _work_until_done(self, measured: Callable[[Metrics], object]) -> None:
        """Work, again after something outside has killed the job, as often as its RetryStrategy says."""
        for left in range(self.request.get("RetryStrategy", {}).get("MaximumRetryAttempts", 0), -1, -1):
            try:
                self._work(measured)
            except StepError as error:
                if error.type != "SageMaker.JOB_INTERNAL_ERROR" or not left:
                    raise
                self.job.update(SecondaryStatus="Restarting")
            else:
                return

    def _work(self, measured: Callable[[Metrics], object]) -> None:
        job, context = self.job, self.job.context
        checkpoints = self._prepare()
        log = JobLog(job.folder, job.hosts)
        self.job.update(SecondaryStatus="Training", TrainingStartTime=time.time())

        def watch(lines: list[str]) -> None:
            measurements = [line for line in lines if self.metrics.read(line)]
            if measurements:
                job.update(FinalMetricDataList=self._metric_data(), _metrics=self.metrics.last)
                measured(self.metrics)
            if time.monotonic() - self._synced >= _SYNC_SECONDS:
                self._synced = time.monotonic()
                for checkpoint in checkpoints:
                    checkpoint.upload(settle_seconds=_SYNC_SECONDS)

        seconds = self.request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _ONE_DAY)
        limits = Limits(context.stop, seconds, self.give_up, context.grace)
        launches = launch(job, self.request, log, self.width)
        try:
            ending = job.run(launches, log, limits, watch)
        finally:
            for checkpoint in checkpoints:
                checkpoint.upload()
        self._finish(ending)
        unless_completed(job, ending, log)

    def _prepare(self) -> list[Checkpoints]:
        job, s3 = self.job, self.job.context.s3
        self.job.update(SecondaryStatus="Downloading")
        checkpoints = []
        for index, host in enumerate(job.hosts):
            base = job.base(host)
            clear(base)
            for folder in ("model", "output/data", "input/data"):
                (base / folder).mkdir(parents=True)
            for channel in _channels(self.request):
                place(s3, for_host(s3, channel, index, len(job.hosts)), base / channel.folder)
            job.write_config(host, "input/config", config_files(self.request))
            if "CheckpointConfig" in self.request:
                checkpoints.append(Checkpoints(s3, self.request["CheckpointConfig"], base))
                checkpoints[-1].download()
        return checkpoints

    def _finish(self, ending: Ending) -> None:
        """Upload the model, also of a job that was stopped; and the other output, also of one that failed."""
        job, s3 = self.job, self.job.context.s3
        self.job.update(SecondaryStatus="Uploading")
        models = [job.base(host) / "model" for host in job.hosts]
        outputs = [job.base(host) / "output" / "data" for host in job.hosts]
        record = self.job.update(FinalMetricDataList=self._metric_data())
        uri = record["ModelArtifacts"]["S3ModelArtifacts"]
        if ending.how not in {"Failed", "Killed"}:
            if _uncompressed(self.request):
                for folder in reversed(models):  # the first host's file is the one that stays, as in an archive
                    upload(s3, folder, uri)
            else:
                pack(s3, models, uri, job.folder / "model.tar.gz")
        if any(any(folder.iterdir()) for folder in outputs):
            pack(s3, outputs, join(uri.rpartition("/")[0], "output.tar.gz"), job.folder / "output.tar.gz")

    def _metric_data(self) -> list[dict[str, Any]]:
        now = time.time()
        return [{"MetricName": n, "Value": v, "Timestamp": now} for n, v in self.metrics.last.items()]

    def _ended(self, status: str, secondary: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
        now = time.time()
        begun = (self.job.context.store.get("training-job", self.job.name) or {}).get("TrainingStartTime", now)
        seconds = max(1, int(now - begun))  # the API knows no shorter time
        changes |= {"TrainingEndTime": now, "TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
        return self.job.update(status, SecondaryStatus=secondary, **changes)


def _uncompressed(request: Mapping[str, Any]) -> bool:
    return bool(request["OutputDataConfig"].get("CompressionType") == "NONE")


def _channels(request: Mapping[str, Any]) -> list[Input]:
    for channel in request.get("InputDataConfig", []):
        if not _CHANNEL.fullmatch(channel["ChannelName"]):
            raise StepError(f"ClientError: {channel['ChannelName']!r} cannot be the name of a channel")
    return [
        Input.parse(
            channel["ChannelName"],
            f"input/data/{channel['ChannelName']}",
            {"S3InputMode": channel.get("InputMode", "File"), **channel["DataSource"]["S3DataSource"]},
        )
        for channel in request.get("InputDataConfig", [])
    ]
