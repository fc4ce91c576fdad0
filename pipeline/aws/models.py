"""What this package answers with: executions, their steps and trials, versions of the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

WAITING = "Waiting"
"""The status of a step that has not started; the service does not list those."""

DONE = frozenset({"Succeeded", "Failed", "Stopped"})

JobKind = str
"""training, processing or tuning."""


@dataclass(frozen=True)
class Job:
    """The job behind a step or trial."""

    kind: JobKind
    name: str


@dataclass(frozen=True)
class Trial:
    """A training job that a tuning job started.

    `status` is a training job's (InProgress, Completed, Failed, Stopped, ...); `objective` is the value that the
    tuning job compares, as far as it is known, and `less_is_better` how; `metrics` has the last value of each metric.
    """

    name: str
    status: str
    created: datetime
    ended: datetime | None
    hyperparameters: Mapping[str, str]
    objective: float | None
    metrics: Mapping[str, float]
    reason: str | None
    less_is_better: bool = False

    @property
    def job(self) -> Job:
        """The trial's training job."""
        return Job("training", self.name)


@dataclass(frozen=True)
class Step:
    """A step of an execution; `kind` is its Type in the definition, `status` Waiting or a StepStatus."""

    name: str
    kind: str
    status: str = WAITING
    started: datetime | None = None
    ended: datetime | None = None
    reason: str | None = None
    attempts: int = 0
    cached_from: str | None = None
    """The ARN of the execution whose result was taken."""
    job: Job | None = None
    outcome: str | None = None
    """Of a Condition: True or False."""
    made: str | None = None
    """Of a RegisterModel: the model package's ARN."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    trials: tuple[Trial, ...] = ()


@dataclass(frozen=True)
class Execution:
    """A pipeline execution; `steps` are in the order of the definition, the waiting ones included."""

    arn: str
    name: str
    status: str
    started: datetime
    changed: datetime
    reason: str | None = None
    steps: tuple[Step, ...] = ()

    @property
    def id(self) -> str:
        """The last part of the ARN: 12 letters and digits."""
        return self.arn.rpartition("/")[2]

    @property
    def pipeline(self) -> str:
        """The pipeline's name."""
        return self.arn.split(":pipeline/")[-1].partition("/")[0]

    @property
    def done(self) -> bool:
        """Whether it has ended."""
        return self.status in DONE

    def step(self, name: str) -> Step | None:
        """Return the step of this name, upper or lower case."""
        return next((step for step in self.steps if step.name.lower() == name.lower()), None)


STAGING, PRODUCTION = "staging", "production"
PASSED = "Passed"
FAILED = frozenset({"Failed", "RolledBack"})
OPEN = frozenset({"Requested", "Deploying"})


@dataclass(frozen=True)
class Verdict:
    """What the deploy function wrote into a version about one stage.

    `status` is Requested, Deploying, Passed, Failed or RolledBack, empty where nobody asked for a deployment; `time` is
    when it was written, ISO 8601 in UTC.
    """

    status: str = ""
    reason: str = ""
    time: str = ""

    @classmethod
    def of(cls, metadata: Mapping[str, str], stage: str) -> Verdict:
        """Read it from a model package's CustomerMetadataProperties."""
        name = stage.capitalize()
        return cls(*(metadata.get(f"{name}{part}", "") for part in ("Status", "Reason", "Time")))


@dataclass(frozen=True)
class Score:
    """Macro-F1 on the test set, and the bounds of its confidence interval."""

    macro_f1: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Version:
    """A version in the registry: a model package of a group."""

    group: str
    number: int
    arn: str
    status: str
    """Approved, Rejected or PendingManualApproval."""
    created: datetime
    model_data: str
    image: str
    champion: bool
    note: str | None
    score: Score | None
    evaluation: str | None
    """The `s3://` URI of evaluation.json."""
    lineage: Mapping[str, str]
    """Where it came from: commit, execution, and what training wrote into the artifact (the data's hash, ...)."""
    metadata: Mapping[str, str]

    @property
    def data_hash(self) -> str:
        """Identity of the photos, their labels and the split, test photos included; empty where nobody wrote it."""
        return self.metadata.get("DataHash") or self.lineage.get("data", "")

    def verdict(self, stage: str) -> Verdict:
        """Return what came of deploying it to `staging` or `production`."""
        return Verdict.of(self.metadata, stage)
