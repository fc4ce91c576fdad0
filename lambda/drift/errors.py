"""What can go wrong: RefusedError is this function's own, a ClientError may say that something is not there."""

from __future__ import annotations

from botocore.exceptions import ClientError

_MISSING = frozenset({"ResourceNotFound", "NoSuchKey", "NoSuchBucket", "404"})


class RefusedError(ValueError):
    """This function does not take what it was given; the message is one line that says why."""


def is_missing(error: ClientError) -> bool:
    """Whether what the request names does not exist; SageMaker says so in the message alone."""
    about = error.response.get("Error", {})
    message = str(about.get("Message", ""))
    said = message.startswith("Could not find") or "does not exist" in message or "not found" in message
    return said or about.get("Code") in _MISSING
