"""Approving and rejecting a version: the registry's own status, which the deploy function follows."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline.aws.deployment import OVERRIDE, PRODUCTION_MARKS
from pipeline.aws.errors import aws_errors
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.models import Version

NOTE_CHARACTERS = 800  # the service takes 1,024; who and when stand behind the note
_METADATA_CHARACTERS = 256
_LOCAL_ACCOUNT = "000000000000"
_NOT_METADATA = re.compile(r"[^\w .:/=+@-]")


@aws_errors()
def approve(session: boto3.Session, version: Version, note: str | None, *, override: bool) -> None:
    """Approve a version, so that production may take it; what production said of it before no longer counts.

    Args:
        session: who answers.
        version: may be Approved already, which tries again what came of it.
        note: kept in the version, at most NOTE_CHARACTERS.
        override: production takes it although staging has not passed; who said so is kept.

    Raises:
        UserError: with one line that says what to do.
    """
    _decide(session, version, "Approved", note, override=override)


@aws_errors()
def reject(session: boto3.Session, version: Version, note: str | None) -> None:
    """Reject a version: where production serves it, the newest other approved one follows. Raises UserError."""
    _decide(session, version, "Rejected", note, override=False)


def _decide(session: boto3.Session, version: Version, status: str, note: str | None, *, override: bool) -> None:
    if note is not None and len(note) > NOTE_CHARACTERS:
        raise UserError(f"the note has {len(note)} characters, {NOTE_CHARACTERS} is the most")
    user, now = caller(session), datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    request: dict[str, Any] = {
        "ModelPackageArn": version.arn,
        "ModelApprovalStatus": status,
        "ApprovalDescription": f"{note.strip() if note else status} ({user}, {now})",
    }
    if override:
        request["CustomerMetadataProperties"] = {OVERRIDE: f"{user} {now}"}
    if status == "Approved" and (old := [key for key in PRODUCTION_MARKS if key in version.metadata]):
        request["CustomerMetadataPropertiesToRemove"] = old
    session.client("sagemaker").update_model_package(**request)
    if version.status == status:
        # The service tells nobody of a status that stays as it was.
        from pipeline.aws.functions import reconcile

        reconcile(session, version.group)


def caller(session: boto3.Session) -> str:
    """Return who calls: the user or role of the account, on this machine the login name; at most 128 characters."""
    arn = session.client("sts").get_caller_identity()["Arn"]
    name = _login() if f"::{_LOCAL_ACCOUNT}:" in arn else arn.rpartition(":")[2]
    return metadata_text(name)[:128]


def metadata_text(text: str) -> str:
    """Return a text with only characters that a model package's metadata takes, at most 256."""
    return _NOT_METADATA.sub("-", text)[:_METADATA_CHARACTERS]


def _login() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user that has no name
        return "local"
