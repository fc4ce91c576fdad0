"""Retry policies of a step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipeline.local.failures import FailureType

_MAX_ATTEMPTS = 5


@dataclass
class Policy:
    """One policy and the retries that it has granted so far."""

    types: frozenset[str]
    interval: float
    backoff: float
    max_attempts: int | None
    expire_seconds: float | None
    used: int = field(default=0)

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Policy:
        """Read a policy; the defaults are the service's: 1 s, doubled each time, 5 retries unless a time is given."""
        expire = body.get("ExpireAfterMin")
        attempts = body.get("MaxAttempts", None if expire else _MAX_ATTEMPTS)
        return cls(
            frozenset(body["ExceptionType"]),
            float(body.get("IntervalSeconds", 1)),
            float(body.get("BackoffRate", 2.0)),
            attempts,
            None if expire is None else expire * 60.0,
        )

    def delay(self, elapsed: float) -> float | None:
        """Return the seconds to wait before the next retry, or None where there is to be none."""
        if self.max_attempts is not None and self.used >= self.max_attempts:
            return None
        wait = self.interval * self.backoff**self.used
        if self.expire_seconds is not None and elapsed + wait > self.expire_seconds:
            return None
        self.used += 1
        return wait


def next_delay(policies: list[Policy], failure: FailureType | None, elapsed: float) -> float | None:
    """Return the seconds to wait before the step is tried again, or None: not retried.

    Args:
        policies: the step's, in order; the first that names the failure decides.
        failure: None for a failure that no policy can name (the job's own).
        elapsed: seconds since the step's first attempt began.
    """
    for policy in policies:
        if failure in policy.types:
            return policy.delay(elapsed)
    return None
