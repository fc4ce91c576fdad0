"""What an engine that was killed left behind: processes stopped, checkpoints saved, records closed."""

from __future__ import annotations

import time
from pathlib import Path

from pipeline.local.containers.sweeping import sweep
from pipeline.local.context import Context
from pipeline.local.jobs.checkpoints import Checkpoints
from pipeline.local.processes import stop_orphans
from pipeline.local.store import Document

_ENDED = {"Completed", "Failed", "Stopped"}
_STEP_ENDED = {"Succeeded", "Failed", "Stopped"}


def recover(context: Context) -> None:
    """Stop the orphans of the execution and close their records, so that its unfinished steps can run again."""
    store = context.store
    for step in store.find("step", context.execution_arn):
        id = f"{context.execution_arn}/{step['StepName']}"
        parents = [id, *(job["HyperParameterTuningJobName"] for job in store.find("tuning-job", id))]
        for kind, status in (("processing-job", "ProcessingJobStatus"), ("training-job", "TrainingJobStatus")):
            for parent in parents:
                for job in store.find(kind, parent):
                    if job[status] not in _ENDED:
                        _close(context, kind, status, job)
        if step["StepStatus"] not in _STEP_ENDED:
            store.update("step", id, StepStatus="Stopped", EndTime=time.time())


def _close(context: Context, kind: str, status: str, job: Document) -> None:
    folder = Path(job["_folder"])
    stop_orphans([(pid, start) for pid, start in job["_pids"] if start is not None], folder, context.grace)
    sweep(context.home, folder, context.grace)
    if "CheckpointConfig" in job:
        # What the job saved after the last upload is in its folder alone: the next run begins there.
        for base in sorted(folder.glob("algo-*")):
            if base.is_dir():
                Checkpoints(context.s3, job["CheckpointConfig"], base).recover()
    name = job["TrainingJobName" if kind == "training-job" else "ProcessingJobName"]
    reason = "the engine was killed while the job ran"
    context.store.update(kind, name, **{status: "Stopped"}, _pids=[], FailureReason=reason)
