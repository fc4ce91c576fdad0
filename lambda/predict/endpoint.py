"""One photo, asked of the endpoint."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, HTTPClientError, ReadTimeoutError

from predict import clients
from predict.errors import RefusalError

# What the container answered of the photo itself: its caller can mend that.
_OF_THE_PHOTO = {
    400: "the endpoint cannot use the photo",
    413: "the photo is too large for the endpoint",
    415: "the endpoint does not take this kind of picture",
}
_TRY_AGAIN = frozenset(
    {
        "ModelNotReadyException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "InternalFailure",
        "InternalDependencyException",
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
    }
)
_LONGEST_DETAIL = 300


def ask(endpoint: str, photo: bytes, content_type: str) -> dict[str, Any]:
    """Return the endpoint's answer about a photo: the predicted label, the probabilities, the model's version.

    Raises:
        RefusalError: 400, 413 or 415 as the model's container says it of the photo; 424, the model failed, or there is
            no such endpoint; 503, it is busy or not ready; 504, it took too long.
    """
    try:
        answer = clients.runtime().invoke_endpoint(
            EndpointName=endpoint, Body=photo, ContentType=content_type, Accept="application/json"
        )
        return _result(answer["Body"].read())
    except ClientError as error:
        raise _refusal(error) from error
    except (ReadTimeoutError, ConnectTimeoutError) as error:
        raise RefusalError(504, "the endpoint took too long") from error
    except (BotoCoreError, HTTPClientError) as error:
        raise RefusalError(503, "the endpoint cannot be reached: try again") from error


def _result(body: bytes) -> dict[str, Any]:
    try:
        result = json.loads(body, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RefusalError(424, "the model's answer is not JSON") from error
    if not isinstance(result, dict):
        raise RefusalError(424, "the model's answer is no JSON object")
    return result


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number in JSON")


def _refusal(error: ClientError) -> RefusalError:
    code = error.response.get("Error", {}).get("Code")
    if code in _TRY_AGAIN:
        return RefusalError(503, "the endpoint is busy or not ready: try again")
    if code != "ModelError":
        return RefusalError(424, "the endpoint does not exist, does not serve, or may not be asked by the function")
    modelled: dict[str, Any] = dict(error.response)
    status = modelled.get("OriginalStatusCode")
    if status not in _OF_THE_PHOTO:
        return RefusalError(424, "the model failed")
    detail = _detail(modelled.get("OriginalMessage"))
    return RefusalError(status, f"{_OF_THE_PHOTO[status]}{f': {detail}' if detail else ''}")


def _detail(message: object) -> str:
    """Return what our own server says in `{"error": ...}`; of any other text, nothing."""
    try:
        said = json.loads(str(message))["error"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return ""
    return " ".join(said.split())[:_LONGEST_DETAIL] if isinstance(said, str) else ""
