"""Processing jobs: inputs placed, one process a host, outputs uploaded."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.local.context import Context, StepCall, StepResult
from pipeline.local.failures import MaxRuntimeError, StepError, StepStoppedError, explain
from pipeline.local.jobs.hosts import Ending, Limits
from pipeline.local.jobs.inputs import Input, for_host, place
from pipeline.local.jobs.job import Job, host_names, job_name, texts, unless_completed
from pipeline.local.jobs.log import JobLog
from pipeline.local.jobs.outputs import upload
from pipeline.local.runner import Launch

_ONE_DAY = 86_400.0


def run(context: Context, call: StepCall) -> StepResult:
    """Run a Processing step's job. Raises StepError, StepStoppedError."""
    request = call.arguments
    texts(request.get("Environment", {}), "Environment")
    texts(request["AppSpecification"].get("ContainerEntrypoint", []), "ContainerEntrypoint")
    texts(request["AppSpecification"].get("ContainerArguments", []), "ContainerArguments")
    hosts = host_names(request["ProcessingResources"]["ClusterConfig"]["InstanceCount"])
    job = Job(context, "processing-job", job_name(context, call), hosts)
    outputs = _outputs(request)
    arn = context.arn("processing-job", job.name)
    job.create({**request, "ProcessingJobName": job.name, "ProcessingJobArn": arn}, call.id)
    context.store.update("step", call.id, Metadata={"ProcessingJob": {"Arn": arn}}, _job=job.name)
    try:
        with context.slots.take(len(hosts), context.stop):
            context.store.update("step", call.id, StepStatus="Executing")
            _work(job, request, outputs, call.width)
    except StepStoppedError:
        job.update("Stopped", ProcessingEndTime=time.time())
        raise
    except Exception as error:
        failure = explain(error)
        status = "Stopped" if isinstance(failure, MaxRuntimeError) else "Failed"
        job.update(status, ProcessingEndTime=time.time(), FailureReason=str(failure))
        raise failure from error
    done = job.update("Completed", ProcessingEndTime=time.time())
    return StepResult(done, tuple(uri for _, uri in outputs))


def _outputs(request: Mapping[str, Any]) -> list[tuple[Path, str]]:
    """Return each output's folder relative to /opt/ml and its S3 address."""
    outputs = []
    for output in request.get("ProcessingOutputConfig", {}).get("Outputs", []):
        if "S3Output" not in output:
            raise StepError(f"ClientError: output {output['OutputName']}: only S3 outputs run on this machine")
        outputs.append((_folder(output["S3Output"]["LocalPath"]), output["S3Output"]["S3Uri"]))
    return outputs


def _inputs(request: Mapping[str, Any]) -> list[Input]:
    inputs = []
    for item in request.get("ProcessingInputs", []):
        source = item.get("S3Input")
        if source is None:
            raise StepError(f"ClientError: input {item['InputName']}: only S3 inputs run on this machine")
        inputs.append(Input.parse(item["InputName"], str(_folder(source["LocalPath"])), source))
    return inputs


def _folder(local_path: str) -> Path:
    path = Path(local_path)
    if not path.is_relative_to("/opt/ml/processing") or ".." in path.parts:
        raise StepError(f"ClientError: LocalPath {local_path} must lie under /opt/ml/processing")
    return path.relative_to("/opt/ml")


def _work(job: Job, request: Mapping[str, Any], outputs: list[tuple[Path, str]], width: int) -> None:
    context = job.context
    inputs = _inputs(request)
    for index, host in enumerate(job.hosts):
        base = job.base(host)
        for input in inputs:
            place(context.s3, for_host(context.s3, input, index, len(job.hosts)), base / input.folder)
        for folder, _ in outputs:
            (base / folder).mkdir(parents=True, exist_ok=True)
        config = context.store.get(job.kind, job.name) or {}
        job.write_config(host, "config", {"processingjobconfig": {k: v for k, v in config.items() if k[0] != "_"}})
    job.update(ProcessingStartTime=time.time())
    log = JobLog(job.folder, job.hosts)
    launches = [_launch(job, request, host, log, width) for host in job.hosts]
    seconds = request.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _ONE_DAY)
    ending: Ending = job.run(launches, log, Limits(context.stop, seconds, grace=context.grace), lambda _: None)
    unless_completed(job, ending, log)
    for host in job.hosts:
        for folder, uri in outputs:
            upload(context.s3, job.base(host) / folder, uri)


def _launch(job: Job, request: Mapping[str, Any], host: str, log: JobLog, width: int) -> Launch:
    app = request["AppSpecification"]
    return Launch(
        host=host,
        base=job.base(host),
        image=app["ImageUri"],
        entrypoint=tuple(app.get("ContainerEntrypoint", ())) or None,
        arguments=tuple(app.get("ContainerArguments", ())),
        environment=request.get("Environment", {}),
        threads=job.threads(width),
        log=log.of(host),
        hosts=job.hosts,
        isolated=bool(request.get("NetworkConfig", {}).get("EnableNetworkIsolation")),
    )
