"""The project's Lambda functions, called."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import ClientError

from pipeline.aws.errors import aws_errors, is_missing
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

DEPLOY, DRIFT, PREDICT = "bincount-deploy", "bincount-drift", "bincount-predict"

# One for all calls: sessions may keep a client for each configuration. The answer comes when the function has ended,
# and a second attempt would call it again: 15 minutes are the longest that one runs.
_PATIENT = Config(read_timeout=910, tcp_keepalive=True)
_LONGEST_REASON = 600


@aws_errors()
def call(session: boto3.Session, name: str, event: object) -> dict[str, Any]:
    """Call a function with an event (anything that JSON holds), wait, and return its answer.

    Raises:
        UserError: there is no such function, it failed, or its answer is no JSON object.
    """
    client = session.client("lambda", config=_PATIENT)
    try:
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
    except ClientError as error:
        if is_missing(error):
            raise UserError(
                f"there is no function {name} in this account and region: it must be deployed there first"
            ) from None
        raise
    returned = _json(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise UserError(f"the function {name} failed: {_reason(returned)}")
    if not isinstance(returned, dict):
        raise UserError(f"the function {name} answers with no JSON object")
    return returned


def reconcile(session: boto3.Session, group: str) -> dict[str, Any]:
    """Let the deploy function bring a group's endpoints to what the registry says, as a lost event would have.

    Returns what it found and did, a dictionary for each stage. Raises UserError.
    """
    return call(session, DEPLOY, {"Action": "reconcile", "ModelPackageGroupName": group})


def drift(session: boto3.Session, group: str, hours: int) -> dict[str, Any]:
    """Let the drift function compare what a group's production answered in the last hours with the evaluation.

    Returns what `lambda/drift/README.md` says. Raises UserError.
    """
    return call(session, DRIFT, {"ModelPackageGroupName": group, "Hours": hours})


def _json(payload: bytes) -> Any:  # noqa: ANN401
    try:
        return json.loads(payload)
    except ValueError:
        return None


def _reason(returned: object) -> str:
    """Return the error that Lambda reports: `{"errorMessage", "errorType", "stackTrace"}`; a time-out has no type."""
    if not isinstance(returned, dict):
        return "its log says why"
    kind, message = returned.get("errorType"), str(returned.get("errorMessage") or "its log says why")
    return " ".join(f"{kind}: {message}".split() if kind else message.split())[:_LONGEST_REASON]
