"""What the function is asked: whose production, and how far back. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from drift.errors import RefusedError

HOURS = 24
_MOST_HOURS = 24 * 7
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Window:
    """A time, both ends in UTC."""

    begin: datetime
    end: datetime

    def __contains__(self, moment: datetime) -> bool:
        return self.begin <= moment <= self.end

    def folders(self) -> Iterator[str]:
        """Yield the hours that it touches as data capture names them: yyyy/mm/dd/hh."""
        hour = self.begin.replace(minute=0, second=0, microsecond=0)
        while hour <= self.end:
            yield f"{hour:%Y/%m/%d/%H}"
            hour += _HOUR


@dataclass(frozen=True)
class Question:
    """A group, and the time of the answers."""

    group: str
    window: Window

    @property
    def endpoint(self) -> str:
        """The endpoint where users are, as the deploy function names it."""
        return f"{self.group}-production"


def parse(event: object, project: str, now: datetime) -> Question:
    """Return what an event asks. Raises RefusedError."""
    if not isinstance(event, Mapping):
        raise RefusedError("the event is no JSON object")
    group = event.get("ModelPackageGroupName")
    if not isinstance(group, str) or not re.fullmatch(rf"{re.escape(project)}(-+[a-zA-Z0-9]+)+", group):
        raise RefusedError(f"ModelPackageGroupName {str(group)[:80]!r} is none of ours: they begin with {project}-")
    return Question(group, Window(now - _hours(event) * _HOUR, now))


def _hours(event: Mapping[str, Any]) -> int:
    hours = event.get("Hours", HOURS)
    if isinstance(hours, bool) or not isinstance(hours, int) or not 1 <= hours <= _MOST_HOURS:
        raise RefusedError(f"Hours is a whole number from 1 to {_MOST_HOURS}, not {str(hours)[:20]!r}")
    return hours


def moment(text: str) -> datetime:
    """Return the time that data capture wrote, as `2026-11-26T10:00:00Z`. Raises ValueError, TypeError."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
