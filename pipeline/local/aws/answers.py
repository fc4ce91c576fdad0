"""Which function answers which operation, and how it refuses.

A function takes the account and the request (members as in the API, times as seconds since 1970) and returns the
answer's members (times as seconds too).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.local.aws.account import Account

Request = Mapping[str, Any]
Answer = dict[str, Any]
Function = Callable[[Account, Request], Answer | None]

_LONGEST_REASON = 1024

OPERATIONS: dict[tuple[str, str], Function] = {}


class ServiceError(Exception):
    """An error that the service would answer: boto3 raises it as the ClientError of its code.

    `members` are what the error's shape has beside its message.
    """

    def __init__(self, code: str, message: str, status: int = 400, **members: object) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.members = code, message, status, members


def invalid(message: str) -> ServiceError:
    """Return the error for a request that the service refuses."""
    return ServiceError("ValidationException", message)


def not_found(message: str) -> ServiceError:
    """Return the error for something that does not exist."""
    return ServiceError("ResourceNotFound", message)


def not_local(what: str) -> ServiceError:
    """Return the error for what AWS has and local AWS has not."""
    return ServiceError("NotImplemented", f"{what} is not part of local AWS", 501)


def refuse(request: Request, *members: str) -> None:
    """Refuse members that would change the outcome on AWS and would be ignored here."""
    for member in members:
        if request.get(member) is not None:
            raise not_local(member)


def operation(service: str, name: str) -> Callable[[Function], Function]:
    """Make the function the answer to an operation."""

    def register(function: Function) -> Function:
        OPERATIONS[service, name] = function
        return function

    return register


def members(document: Mapping[str, Any], *names: str) -> Answer:
    """Return those of the named members that the document has."""
    return {name: document[name] for name in names if document.get(name) is not None}


def public(document: Mapping[str, Any]) -> Answer:
    """Return the document without our own keys and without empty members, its free text on one line."""
    shown = {name: value for name, value in document.items() if not name.startswith("_") and value is not None}
    for name in ("FailureReason", "ExitMessage"):
        if name in shown:
            shown[name] = " ".join(str(shown[name]).split())[:_LONGEST_REASON]
    return shown
