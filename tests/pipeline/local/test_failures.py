from __future__ import annotations

import errno
import sqlite3

import pytest

from pipeline.local.expressions import ExpressionError
from pipeline.local.failures import STEP_REASON, StepError, explain
from pipeline.local.s3 import S3Error


@pytest.mark.parametrize(
    ("error", "reason", "type"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/x"), "ClientError: the disk is full", None),
        (OSError(errno.EAGAIN, "Resource temporarily unavailable"), "ClientError: Resource", "Step.SERVICE_FAULT"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "ClientError: Permission denied: /x", None),
        (sqlite3.OperationalError("database is locked"), "InternalServerError: local state", "Step.SERVICE_FAULT"),
        (S3Error("no such object"), "ClientError: no such object", None),
        (ExpressionError("no value"), "ClientError: no value", None),
        (KeyError("RoleArn"), "ClientError: the definition lacks 'RoleArn'", None),
        (ValueError("a\nb"), "InternalServerError: ValueError: a b", None),
    ],
)
def test_every_error_becomes_a_reason_of_one_line(error: Exception, reason: str, type: str | None) -> None:
    failure = explain(error)
    assert str(failure).startswith(reason)
    assert "\n" not in str(failure)
    assert failure.type == type


def test_a_reason_is_cut_to_what_the_service_stores() -> None:
    assert len(str(StepError("x" * 5000))) == STEP_REASON
