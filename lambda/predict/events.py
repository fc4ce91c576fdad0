"""What an event asks for: called directly, or by API Gateway (REST: format 1.0, HTTP: 2.0) or a function URL (2.0)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from predict.errors import RefusalError
from predict.limits import LARGEST_PHOTO, too_large

WAYS = ("image_url", "s3_uri", "image_base64")
_ONE = f"the request takes exactly one of {', '.join(WAYS)}"
_BINARY = ("application/octet-stream", "application/x-image")


@dataclass(frozen=True)
class Named:
    """A photo that lies somewhere else: `way` is image_url or s3_uri, `place` the URL or URI as it was given."""

    way: str
    place: str


@dataclass(frozen=True)
class Held:
    """A photo that came with the event: `way` is image_base64, or body where the request's body is the photo."""

    way: str
    photo: bytes


def is_http(event: object) -> bool:
    """Say whether an API or a function URL made the event, which then wants an HTTP answer."""
    return isinstance(event, Mapping) and isinstance(event.get("requestContext"), Mapping)


def parse(event: object) -> Named | Held:
    """Return what the event asks for. Raises RefusalError: 400, malformed; 413, the photo has too many bytes."""
    if not isinstance(event, Mapping):
        raise RefusalError(400, _ONE)
    return _of_body(event) if is_http(event) else _of_members(event)


def _of_body(event: Mapping[str, Any]) -> Named | Held:
    body, encoded = event.get("body"), event.get("isBase64Encoded") is True
    if not isinstance(body, str) or not body:
        raise RefusalError(400, f"the body is empty: {_ONE}")
    kind = _content_type(event.get("headers"))
    if kind.startswith("image/") or kind in _BINARY:
        if not encoded:  # the API has read the bytes as text, and lost some
            raise RefusalError(
                400, f"the API passes {kind} as text: send image_base64, or make the type binary in the API"
            )
        return Held("body", _decoded(body, "the body"))
    data = _decoded(body, "the body") if encoded else body
    try:
        members = json.loads(data)
    except (ValueError, RecursionError):
        raise RefusalError(400, "the body must be a JSON object, or a picture with its content type") from None
    if not isinstance(members, Mapping):
        raise RefusalError(400, f"the body must be a JSON object: {_ONE}")
    return _of_members(members)


def _content_type(headers: object) -> str:
    # Format 1.0 keeps the case in which the client wrote the names.
    given = headers.items() if isinstance(headers, Mapping) else ()
    found = (str(value) for name, value in given if str(name).lower() == "content-type")
    return next(found, "").partition(";")[0].strip().lower()


def _of_members(members: Mapping[str, Any]) -> Named | Held:
    given = {name: value for name, value in members.items() if value is not None}
    if len(given) != 1 or not given.keys() <= set(WAYS):
        raise RefusalError(400, _ONE)
    [(way, value)] = given.items()
    if not isinstance(value, str) or not value:
        raise RefusalError(400, f"{way} must be a text that is not empty")
    return Held(way, _decoded(value, way)) if way == "image_base64" else Named(way, value)


def _decoded(text: str, what: str) -> bytes:
    compact = "".join(text.split())  # `base64` breaks its lines
    if len(compact) // 4 * 3 > LARGEST_PHOTO + 2:
        raise too_large()
    try:
        data = base64.b64decode(compact, validate=True)
    except (binascii.Error, ValueError):
        raise RefusalError(400, f"{what} is not base64") from None
    if len(data) > LARGEST_PHOTO:
        raise too_large()
    return data
