"""What is wanted, what there is, what is to be done: frozen, so that the plan that was shown is the one that is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.aws.pipelines import Change, Current
from pipeline.building.images import Image

Use = Literal["training", "spot training", "processing", "endpoint"]


@dataclass(frozen=True)
class Need:
    """Instances of one type that an execution has in use at the same time, at the least."""

    use: Use
    instance_type: str
    count: int

    @property
    def quota(self) -> str:
        """The name of the quota that limits it, as Service Quotas has it."""
        return f"{self.instance_type} for {self.use} {'usage' if self.use == 'endpoint' else 'job usage'}"


@dataclass(frozen=True)
class Data:
    """Photos of this machine, and the prefix in S3 that their content gives them."""

    uri: str
    files: Mapping[str, Path] = field(repr=False)
    """By their key below the prefix."""


@dataclass(frozen=True)
class Wanted:
    """The execution that is asked for."""

    pipeline: str
    definition: str
    role: str
    tags: Mapping[str, str]
    bucket: str
    parameters: Mapping[str, str]
    name: str | None = None
    """The execution's display name."""
    images: tuple[Image, ...] = ()
    """Those of ours that its jobs, or the endpoint, pull."""
    functions: bool = True
    """Whether our functions are to be brought up to date first."""
    needs: tuple[Need, ...] = ()
    data: Data | None = None
    """Photos to upload first."""


@dataclass(frozen=True)
class Found:
    """What there is in the account. What may not be read is left out: a plan does not fail for it."""

    current: Current | None
    missing_images: frozenset[str] = frozenset()
    """Their URIs."""
    changed_functions: tuple[str, ...] = ()
    missing_files: frozenset[str] = frozenset()
    quotas: Mapping[str, float] = field(default_factory=dict)
    """The applied values, by the names of quotas."""
    running: tuple[str, ...] = ()
    """Ids of executions of this pipeline that run."""


@dataclass(frozen=True)
class Plan:
    """What is to be done, in the order of the members, and what to say before."""

    wanted: Wanted
    images: tuple[Image, ...]
    functions: tuple[str, ...]
    files: tuple[str, ...]
    """Keys of the photos to upload."""
    change: Change
    version: int | None
    """Of the pipeline as it is."""
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Started:
    """The execution that came of it."""

    arn: str
    version: int | None
    overtaken_by: int | None = None
    """The pipeline's latest version, where somebody else sent another definition in the meantime."""
