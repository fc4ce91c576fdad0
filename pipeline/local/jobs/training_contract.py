"""What a training container finds: configuration files, environment variables and its command."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from typing import Any

from pipeline.local.jobs.job import Job
from pipeline.local.jobs.log import JobLog
from pipeline.local.runner import Launch


def config_files(request: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of hyperparameters.json (values are strings) and inputdataconfig.json."""
    channels = {}
    for channel in request.get("InputDataConfig", []):
        source = channel["DataSource"]["S3DataSource"]
        channels[channel["ChannelName"]] = {
            "TrainingInputMode": "File",  # what a FastFile channel says too
            "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
            **({"ContentType": channel["ContentType"]} if "ContentType" in channel else {}),
        }
    return {"hyperparameters": request.get("HyperParameters", {}), "inputdataconfig": channels}


def launch(job: Job, request: Mapping[str, Any], log: JobLog, width: int) -> list[Launch]:
    """Return how each host is started. The argument is `train`, unless the request replaces the image's command."""
    algorithm = request["AlgorithmSpecification"]
    entrypoint = tuple(algorithm.get("ContainerEntrypoint", ())) or None
    arguments = tuple(algorithm.get("ContainerArguments", () if entrypoint else ("train",)))
    threads = job.threads(width)
    # Hosts are processes of one machine, or containers in one network: they meet on loopback, at a port of their own.
    meeting = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port())}
    return [
        Launch(
            host=host,
            base=job.base(host),
            image=algorithm.get("TrainingImage", ""),
            entrypoint=entrypoint,
            arguments=arguments,
            environment={**_environment(job, request, host, threads), **meeting, **request.get("Environment", {})},
            threads=threads,
            log=log.of(host),
            hosts=job.hosts,
            isolated=bool(request.get("EnableNetworkIsolation")),
        )
        for host in job.hosts
    ]


def _environment(job: Job, request: Mapping[str, Any], host: str, threads: int) -> dict[str, str]:
    channels = sorted(channel["ChannelName"] for channel in request.get("InputDataConfig", []))
    return {
        "TRAINING_JOB_NAME": job.name,
        "TRAINING_JOB_ARN": job.context.arn("training-job", job.name),
        "SM_CURRENT_HOST": host,
        "SM_HOSTS": json.dumps(job.hosts),
        "SM_NUM_CPUS": str(threads),
        "SM_HPS": json.dumps(request.get("HyperParameters", {})),
        "SM_CHANNELS": json.dumps(channels),
        "SM_MODEL_DIR": "/opt/ml/model",
        "SM_INPUT_DIR": "/opt/ml/input",
        "SM_OUTPUT_DIR": "/opt/ml/output",
        "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
        **{f"SM_CHANNEL_{channel.upper().replace('-', '_')}": f"/opt/ml/input/data/{channel}" for channel in channels},
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
