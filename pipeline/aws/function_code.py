"""The code of the stack's functions: which of them have other code than this checkout, and bringing them up to date."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws.errors import aws_errors, code_of, is_missing
from pipeline.errors import UserError
from pipeline.functions import code_digest, names, package
from pipeline.settings import PROJECT

if TYPE_CHECKING:
    import boto3

PATIENCE_SECONDS = 300.0
_WORKERS = 4


@aws_errors()
def changed(session: boto3.Session) -> list[str]:
    """Return the functions, as `deploy`, whose code is not that of this checkout.

    Raises:
        UserError: one of them is not in the account, or this is no checkout.
    """
    client = session.client("lambda")
    known = names()
    with ThreadPoolExecutor(_WORKERS) as pool:
        abouts = list(pool.map(lambda name: _about(client, name), known))
    return [
        name for name, about in zip(known, abouts, strict=True) if about["CodeSha256"] != code_digest(package(name))
    ]


@aws_errors()
def update(session: boto3.Session, name: str, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Give a function the code of this checkout, and wait until it runs it; nothing happens where it does already.

    Args:
        session: who answers.
        name: the function, as `deploy`.
        sleep: waits, seconds.

    Raises:
        UserError: it is not in the account, somebody else updates it at the same time, or Lambda cannot.
    """
    client, code = session.client("lambda"), package(name)
    about = _settled(client, name, sleep)
    if about["CodeSha256"] == code_digest(code) and about.get("LastUpdateStatus") != "Failed":
        return
    try:
        # With the revision that was seen: who updates at the same time is not overwritten unseen.
        client.update_function_code(FunctionName=_full(name), ZipFile=code, RevisionId=about["RevisionId"])
    except ClientError as error:
        if code_of(error) not in {"PreconditionFailedException", "ResourceConflictException"}:
            raise
    about = _settled(client, name, sleep)
    if about.get("LastUpdateStatus") == "Failed":
        raise UserError(f"Lambda could not update {_full(name)}: {about.get('LastUpdateStatusReason', 'no reason')}")
    if about["CodeSha256"] != code_digest(code):
        raise UserError(
            f"somebody else has just given {_full(name)} other code: the same command again, "
            "if yours is the one that is to stay"
        )


def _settled(client: Any, name: str, sleep: Callable[[float], None]) -> Mapping[str, Any]:  # noqa: ANN401
    """Wait until no update of the function is under way, and return what it is. Raises UserError."""
    waited, pause = 0.0, 0.5
    while True:
        about = _about(client, name)
        if about.get("LastUpdateStatus") != "InProgress" and about.get("State") != "Pending":
            return about
        if waited >= PATIENCE_SECONDS:
            raise UserError(f"{_full(name)} is still being updated after {waited:.0f} s: try again later")
        sleep(pause)
        waited, pause = waited + pause, min(pause * 2, 5.0)


def _about(client: Any, name: str) -> Mapping[str, Any]:  # noqa: ANN401
    try:
        about: Mapping[str, Any] = client.get_function_configuration(FunctionName=_full(name))
    except ClientError as error:
        if is_missing(error):
            region = client.meta.region_name
            raise UserError(f"there is no function {_full(name)} in {region}: run `bincount bootstrap`") from None
        raise
    return about


def _full(name: str) -> str:
    return f"{PROJECT}-{name}"
