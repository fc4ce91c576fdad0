"""What can go wrong, and how the service says it.

    ValueError
    └── RefusedError    an event, a version or a setting that this function does not take

SageMaker answers most faults with the code ValidationException: only its message tells them apart.
"""

from __future__ import annotations

from botocore.exceptions import ClientError

# Of the service, not of the request: the same request may succeed later, so the caller is told to come again.
_TRANSIENT = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "InternalFailure",
        "InternalServerError",
        "InternalError",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "RequestTimeout",
        "ConflictException",
        "ConcurrentUpdateException",
        "ExpiredTokenException",
    }
)
_SERVER_ERRORS = 500  # and above, of HTTP statuses


class RefusedError(ValueError):
    """This function does not take what it was given; the message is one line that says why."""


def code_of(error: ClientError) -> str:
    """Return the error code that the service gave."""
    return str(error.response.get("Error", {}).get("Code", ""))


def message_of(error: ClientError) -> str:
    """Return what the service said, or the whole error where it said nothing."""
    return str(error.response.get("Error", {}).get("Message", "")) or str(error)


def is_transient(error: ClientError) -> bool:
    """Whether the same request may succeed later."""
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)
    return code_of(error) in _TRANSIENT or status >= _SERVER_ERRORS


def is_missing(error: ClientError) -> bool:
    """Whether something that the request names does not exist (yet, or any more)."""
    return message_of(error).startswith("Could not find") or code_of(error) in {
        "ResourceNotFound",
        "ObjectNotFoundException",
    }


def exists_already(error: ClientError) -> bool:
    """Whether what should be made is there."""
    return message_of(error).startswith("Cannot create already existing")


def is_busy(error: ClientError) -> bool:
    """Whether the endpoint is being changed already."""
    return "in-progress" in message_of(error)
