"""The smoke test: a real photo is sent to the endpoint, and the answer must be the one of the evaluation."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError

from deploy import answer
from deploy.answer import SmokeTest
from deploy.errors import code_of, is_transient, message_of
from deploy.log import log
from deploy.packages import Package

if TYPE_CHECKING:
    from deploy.environment import Environment

_LARGEST = 12 << 20  # bytes of smoke.json: a photo of the largest request in base64, and room
_LARGEST_ANSWER = 1 << 20
_PAUSES = (1.0, 2.0, 4.0, 8.0)  # seconds between tries: a server just started may not be ready
_SERVER_ERRORS = 500  # and above, of HTTP statuses
_NOT_YET = frozenset(
    {
        "ModelNotReadyException",
        "ServiceUnavailable",
        "InternalFailure",
        "InternalDependencyException",
        "ThrottlingException",
    }
)


@dataclass(frozen=True)
class Outcome:
    """How a smoke test ended."""

    passed: bool
    reason: str
    ran: bool = True
    """Whether there was a photo to send: without one, nothing was learnt about the server."""


def run(
    environment: Environment, endpoint: str, package: Package, sleep: Callable[[float], None] = time.sleep
) -> Outcome:
    """Smoke-test a version that an endpoint serves: at most about two minutes.

    Raises:
        ClientError, BotoCoreError: S3 has a passing trouble; the photo may be read later.
    """
    try:
        test = _photo(environment, package)
    except ValueError as error:
        return Outcome(passed=False, reason=f"no smoke test: {error}", ran=False)
    reason = ""
    for pause in (0.0, *_PAUSES):
        sleep(pause)
        try:
            body = _ask(environment, endpoint, test)
        except _NotYetError as error:
            reason = str(error)
            log("smoke-test-try", endpoint=endpoint, version=package.version, reason=reason)
            continue
        fault = body if isinstance(body, str) else answer.fault(body, test, package.model_version)
        passed = f"answered {test.label} like the evaluation"
        return Outcome(passed=fault is None, reason=fault or passed)
    return Outcome(passed=False, reason=f"no answer in {len(_PAUSES) + 1} tries: {reason}")


class _NotYetError(Exception):
    """The server may answer when it is asked again."""


def _ask(environment: Environment, endpoint: str, test: SmokeTest) -> bytes | str:
    """Return the server's answer as bytes, or as text why there is none. Raises _NotYetError."""
    try:
        response = environment.runtime.invoke_endpoint(
            EndpointName=endpoint, Body=test.photo, ContentType=test.content_type, Accept="application/json"
        )
        return response["Body"].read(_LARGEST_ANSWER)
    except ClientError as error:
        status = error.response.get("OriginalStatusCode", _SERVER_ERRORS)
        if code_of(error) in _NOT_YET or (code_of(error) == "ModelError" and int(str(status)) >= _SERVER_ERRORS):
            raise _NotYetError(message_of(error)) from None
        return message_of(error)
    except (ConnectionError, HTTPClientError) as error:
        raise _NotYetError(type(error).__name__) from None


def _photo(environment: Environment, package: Package) -> SmokeTest:
    """Read the version's smoke.json. Raises ValueError: there is none that can be used."""
    uri = package.metadata.get("SmokeTest", "")
    named = re.fullmatch(r"s3://([^/]+)/(.+)", uri)
    if named is None:
        raise ValueError(f"the version's metadata name none but {uri or 'nothing'}")
    try:
        with environment.s3.get_object(Bucket=named[1], Key=named[2])["Body"] as stream:
            text = stream.read(_LARGEST + 1)
    except ClientError as error:
        if is_transient(error):
            raise
        raise ValueError(f"{uri} cannot be read: {code_of(error)}") from None
    if len(text) > _LARGEST:
        raise ValueError(f"{uri} is larger than {_LARGEST >> 20} MiB")
    try:
        return answer.read(text)
    except ValueError as error:
        raise ValueError(f"{uri} is none: {error}") from None
