"""The jobs that an execution is going to start, from the settings and the parameters that override some of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import UserError
from pipeline.job_settings import Job, Training, has_local_disk
from pipeline.settings import Settings

PRICED = {
    "Split": ("ProcessingInstanceType", "ProcessingInstanceCount"),
    "Tune": ("TuningInstanceType", "TuningInstanceCount"),
    "Train": ("TrainingInstanceType", "TrainingInstanceCount"),
    "Evaluate": ("EvaluationInstanceType", None),
}
"""By step, the parameters of the pipeline that say what it runs on."""


@dataclass(frozen=True)
class Planned:
    """A step's jobs: `jobs` of them, each on `instances` machines for `hours` at most."""

    step: str
    jobs: int
    instances: int
    instance_type: str
    hours: float
    disk_gb: int
    """EBS volume of each machine; 0 for a machine whose disk is inside it, and paid with it."""
    spot: bool

    @property
    def machine_hours(self) -> float:
        """Hours of single machines, at most."""
        return self.jobs * self.instances * self.hours


def planned(settings: Settings, parameters: Mapping[str, str]) -> list[Planned]:
    """Return the steps that run on machines of their own.

    How many trials run side by side does not matter: each is paid for its own time.

    Args:
        settings: of the definition.
        parameters: what the execution is started with; those that say nothing about machines are passed over.

    Raises:
        UserError: a count that is no whole number of 1 or more.
    """
    return [
        _planned("Split", settings.split, 1, parameters),
        _planned("Tune", settings.tune, settings.tune.trials, parameters),
        _planned("Train", settings.train, 1, parameters),
        _planned("Evaluate", settings.evaluate, 1, parameters),
    ]


def _planned(step: str, job: Job, jobs: int, parameters: Mapping[str, str]) -> Planned:
    type_name, count_name = PRICED[step]
    instance_type = parameters.get(type_name, job.instance_type)
    return Planned(
        step=step,
        jobs=jobs,
        instances=1 if count_name is None else _count(count_name, parameters.get(count_name, job.instance_count)),
        instance_type=instance_type,
        hours=job.max_runtime_minutes / 60,
        disk_gb=0 if has_local_disk(instance_type) else job.volume_gb,
        spot=isinstance(job, Training) and job.spot,
    )


def _count(name: str, value: str | int) -> int:
    text = str(value).strip()
    if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 6 and int(text) >= 1):
        raise UserError(f"{name} is a whole number of 1 or more, not {value!r}")
    return int(text)
