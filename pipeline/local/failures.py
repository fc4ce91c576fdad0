"""How a step ends when it does not succeed, and how a failure is told apart for the retry policies."""

from __future__ import annotations

import errno
import sqlite3
import traceback
from typing import Literal

from pipeline.local.expressions import ExpressionError
from pipeline.local.s3 import S3Error

FailureType = Literal["Step.SERVICE_FAULT", "SageMaker.JOB_INTERNAL_ERROR"]

STEP_REASON = 1024
EXECUTION_REASON = 1300

# The machine, not the job, is out of something for a moment: worth trying again.
_PASSING = {errno.EAGAIN, errno.ENOMEM, errno.ENFILE, errno.EMFILE}
_FULL = {errno.ENOSPC, errno.EDQUOT}


class StepError(Exception):
    """A step failed; the message is its FailureReason.

    `type` is what retry policies match: None for the job's own mistake (a non-zero exit, bad data), which is never
    tried again; JOB_INTERNAL_ERROR where something outside killed the job (a signal, as when memory runs out);
    SERVICE_FAULT where this machine could not start it.
    """

    def __init__(self, reason: str, type: FailureType | None = None) -> None:
        super().__init__(reason[:STEP_REASON])
        self.type: FailureType | None = type


class MaxRuntimeError(StepError):
    """The job ran longer than its StoppingCondition allows: the job is Stopped, and its step fails."""


class StepStoppedError(Exception):
    """The step was stopped, by the user or by a limit."""


def explain(error: Exception) -> StepError:
    """Turn any exception of the engine into a failure of the step whose reason is one line."""
    if isinstance(error, StepError):
        return error
    if isinstance(error, ExpressionError | S3Error):
        return StepError(f"ClientError: {error}")
    if isinstance(error, KeyError):
        return StepError(f"ClientError: the definition lacks {error}")
    if isinstance(error, sqlite3.OperationalError):
        return StepError(f"InternalServerError: local state: {error}", "Step.SERVICE_FAULT")
    if isinstance(error, OSError):
        if error.errno in _FULL:
            return StepError("ClientError: the disk is full: free some space, then resume the execution")
        kind: FailureType | None = "Step.SERVICE_FAULT" if error.errno in _PASSING else None
        return StepError(f"ClientError: {error.strerror or error}: {error.filename or ''}".rstrip(": "), kind)
    traceback.print_exception(error)  # a mistake of the engine: its log tells where
    return StepError("InternalServerError: " + " ".join(f"{type(error).__name__}: {error}".split()))
