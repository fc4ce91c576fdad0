"""Photos out of a request's body, by its content type."""

from __future__ import annotations

import binascii
import json
import re
from typing import Any, Literal

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from containers.inference.refusals import RefusedError

MAX_PHOTOS = 32

Kind = Literal["photo", "json", "multipart"]

_TAKEN = "image/*, application/x-image, application/octet-stream, application/json or multipart/form-data"
_PHOTO_TYPES = {b"application/x-image", b"application/octet-stream", b""}
_ONE, _SEVERAL = "image_base64", "images_base64"
_FORM = f'the JSON body must be {{"{_ONE}": "..."}} or {{"{_SEVERAL}": ["...", ...]}}'
_MALFORMED = "the multipart body is malformed"
_TOO_MANY = f"more than {MAX_PHOTOS} photos in one request"


def kind_of(content_type: bytes) -> Kind:
    """Tell how a body of this Content-Type holds photos; what the photo really is, the decoder finds out.

    A missing type is taken as application/octet-stream (RFC 9110, 8.3).

    Raises:
        RefusedError: 415, no type that holds photos.
    """
    name = content_type.split(b";", 1)[0].strip().lower()
    if name in _PHOTO_TYPES or name.startswith(b"image/"):
        return "photo"
    if name == b"application/json":
        return "json"
    if name == b"multipart/form-data":
        return "multipart"
    raise RefusedError(415, f"the Content-Type must be {_TAKEN}")


def from_json(body: bytes) -> tuple[list[bytes], bool]:
    """Return the photos of a JSON body, and whether they came as a list.

    Raises:
        RefusedError: 400, no JSON, another form, no strict base64, an empty or too long list.
    """
    # Base64 holds none of these, so all of them belong to the form; counted first, since JSON of 6 MiB can ask for a
    # hundred times that memory or for endless recursion.
    if body.count(b",") >= MAX_PHOTOS:
        raise RefusedError(400, _TOO_MANY)
    if body.count(b"{") != 1 or body.count(b"[") > 1:
        raise RefusedError(400, _FORM)
    try:
        value: Any = json.loads(body)
    except ValueError:
        raise RefusedError(400, "the body is not JSON") from None
    match value:
        case {"image_base64": str(text), **rest} if not rest:
            return [_decoded(text, _ONE)], False
        case {"images_base64": list(texts), **rest} if not rest and all(isinstance(text, str) for text in texts):
            return _some([_decoded(text, f"{_SEVERAL}[{place}]") for place, text in enumerate(texts)]), True
    raise RefusedError(400, _FORM)


def _decoded(text: str, where: str) -> bytes:
    try:
        return binascii.a2b_base64(text, strict_mode=True)
    except ValueError:
        raise RefusedError(400, f"{where} is no base64 (no line breaks, no 'data:' before it)") from None


def _some(photos: list[bytes]) -> list[bytes]:
    if not photos:
        raise RefusedError(400, "there is no photo in the request")
    return photos


class _Parts:
    """Collects the parts' contents as the parser finds them."""

    def __init__(self) -> None:
        self.photos: list[bytes] = []
        self.ended = False
        self._current: list[bytes] = []

    def begin(self) -> None:
        if len(self.photos) == MAX_PHOTOS:
            raise RefusedError(400, _TOO_MANY)
        self._current = []

    def data(self, data: bytes, start: int, end: int) -> None:
        self._current.append(data[start:end])

    def end(self) -> None:
        self.photos.append(b"".join(self._current))

    def finish(self) -> None:
        self.ended = True


def from_multipart(content_type: bytes, body: bytes) -> list[bytes]:
    """Return the photos of a multipart/form-data body: its parts, whatever their names, in their order.

    Raises:
        RefusedError: 400, no boundary, malformed, cut off before its last boundary, no part or too many.
    """
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not boundary:
        raise RefusedError(400, "the Content-Type multipart/form-data names no boundary")
    # Past each of these the parser goes byte by byte in Python: 6 MiB of them would take it seconds.
    if body.count(b"\r\n--" + boundary) > MAX_PHOTOS:
        raise RefusedError(400, _TOO_MANY)
    if re.search(rb"--" + re.escape(boundary) + rb"[ \t]{64}", body):
        raise RefusedError(400, _MALFORMED)
    parts = _Parts()
    try:
        MultipartParser(
            boundary,
            {
                "on_part_begin": parts.begin,
                "on_part_data": parts.data,
                "on_part_end": parts.end,
                "on_end": parts.finish,
            },
        ).write(body)
    except FormParserError:
        raise RefusedError(400, _MALFORMED) from None
    if not parts.ended:
        raise RefusedError(400, "the multipart body ends before its last boundary")
    return _some(parts.photos)
