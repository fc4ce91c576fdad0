"""What is there, and what is to be done about it: frozen, so that a plan that was shown is the plan that is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What can be removed, in the order of removal.

    What uses something goes before it. Schedules go first of all: one that runs in between would start what was just
    removed again.
    """

    SCHEDULE = "schedule"
    POLICY = "scaling policy"
    TARGET = "scalable target"
    ENDPOINT = "endpoint"
    ALARM = "alarm"
    CONFIG = "endpoint config"
    MODEL = "model"

    @property
    def place(self) -> int:
        """Where it stands in the order of removal, from 0."""
        return list(Kind).index(self)


@dataclass(frozen=True)
class Key:
    """Which one. A scalable target is named by its resource id, a policy by that, a slash and its own name."""

    kind: Kind
    name: str

    def __str__(self) -> str:
        """Return it as one says it: `endpoint bincount-demo-staging`."""
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Resource:
    """Something there is, ours or not, with what it uses."""

    key: Key
    tags: Mapping[str, str] = field(default_factory=dict)
    uses: frozenset[Key] = frozenset()
    state: str = ""
    """The status of an endpoint."""


@dataclass(frozen=True)
class Removal:
    """One thing to remove, once those in `after`, which use it, are gone."""

    key: Key
    after: frozenset[Key] = frozenset()
    state: str = ""


@dataclass(frozen=True)
class Kept:
    """One thing of ours, by its name, that stays, and why."""

    key: Key
    reason: str


@dataclass(frozen=True)
class Plan:
    """What goes, in this order, and what stays though it looks like ours."""

    removals: tuple[Removal, ...] = ()
    kept: tuple[Kept, ...] = ()


@dataclass(frozen=True)
class Result:
    """What became of a removal: an `error` says why it is still there; `gone` that somebody was faster."""

    key: Key
    gone: bool = False
    error: str | None = None
