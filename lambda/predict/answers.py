"""Answers in the form that the caller expects: an HTTP response for an API, the plain object for a direct call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from predict.errors import RefusalError


def success(answer: Mapping[str, Any], *, http: bool) -> dict[str, Any]:
    """Return the answer: to a direct call as it is, without a statusCode."""
    return _response(200, answer) if http else dict(answer)


def failure(refusal: RefusalError, *, http: bool) -> dict[str, Any]:
    """Return the refusal: to a direct call `{"statusCode", "error"}`."""
    if http:
        return _response(refusal.status, {"error": refusal.message})
    return {"statusCode": refusal.status, "error": refusal.message}


def _response(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(body), "isBase64Encoded": False}
