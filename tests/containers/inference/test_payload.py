from __future__ import annotations

import base64
import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from containers.inference.payload import MAX_PHOTOS, from_json, from_multipart, kind_of
from containers.inference.refusals import RefusedError

PHOTO = b"\xff\xd8 a photo \0\r\n"
CODED = base64.b64encode(PHOTO).decode()
FORM = b'--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nONE\r\n--b\r\n\r\nTWO\r\n--b--\r\n'


@pytest.mark.parametrize(
    ("content_type", "kind"),
    [
        (b"", "photo"),
        (b"image/jpeg", "photo"),
        (b" Image/X-Something ; a=b", "photo"),
        (b"APPLICATION/X-IMAGE", "photo"),
        (b"application/octet-stream;", "photo"),
        (b"application/json;charset=UTF-8", "json"),
        (b"multipart/Form-Data; boundary=x", "multipart"),
    ],
)
def test_the_type_tells_how_photos_are_held(content_type: bytes, kind: str) -> None:
    assert kind_of(content_type) == kind


@pytest.mark.parametrize("content_type", [b"image", b"text/plain", b"application/jsonl", b"multipart/mixed", b"\xff"])
def test_other_types_are_refused(content_type: bytes) -> None:
    with pytest.raises(RefusedError, match="the Content-Type must be") as caught:
        kind_of(content_type)
    assert caught.value.status == 415


def test_json_holds_one_or_several() -> None:
    assert from_json(json.dumps({"image_base64": CODED}).encode()) == ([PHOTO], False)
    assert from_json(json.dumps({"images_base64": [CODED, CODED]}, indent=2).encode()) == ([PHOTO, PHOTO], True)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "not JSON"),
        ("{}", "must be"),
        ("[]", "must be"),
        ("null", "must be"),
        ('"image_base64"', "must be"),
        ('{"image_base64": 1}', "must be"),
        ('{"image_base64": ["QUJD"]}', "must be"),
        ('{"images_base64": "QUJD"}', "must be"),
        ('{"images_base64": ["QUJD", 1]}', "must be"),
        ('{"image": "QUJD"}', "must be"),
        ('{"image_base64": "QUJD", "other": 1}', "must be"),
        ('{"image_base64": "QUJD", "images_base64": ["QUJD"]}', "must be"),
        ('{"images_base64": []}', "there is no photo"),
        ('{"image_base64": "QUJD"} x', "not JSON"),
        ('{"image_base64": "QU JD"}', "image_base64 is no base64"),
        ('{"image_base64": "QUJDRA"}', "image_base64 is no base64"),
        ('{"image_base64": "QUJDRA==QUJD"}', "image_base64 is no base64"),
        ('{"image_base64": "QUJD\\n"}', "image_base64 is no base64"),
        ('{"image_base64": "data:image/jpeg;base64QUJD"}', "image_base64 is no base64"),
        ('{"image_base64": "QUJ\\u00e9"}', "image_base64 is no base64"),
        ('{"image_base64": "QUJ\\ud800"}', "image_base64 is no base64"),
        ('{"images_base64": ["QUJD", "QUJ*"]}', r"images_base64\[1\] is no base64"),
        ("[" * 100_000, "must be"),
        ('{"a":' * 100_000, "must be"),
    ],
)
def test_other_json_is_refused(text: str, told: str) -> None:
    with pytest.raises(RefusedError, match=told) as caught:
        from_json(text.encode())
    assert caught.value.status == 400


@pytest.mark.parametrize("body", [b"\xff\xfe{}", b'{"image_base64": "\xff"}', b"\0" * 10, b'{"image_base64": "\x01"}'])
def test_bytes_that_are_no_text_are_refused(body: bytes) -> None:
    with pytest.raises(RefusedError):
        from_json(body)


def test_a_form_holds_photos_in_their_order() -> None:
    assert from_multipart(b"multipart/form-data; boundary=b", FORM) == [b"ONE", b"TWO"]
    assert from_multipart(b'multipart/form-data; BOUNDARY="b"', b"\r\n" + FORM + b"what follows") == [b"ONE", b"TWO"]


def test_a_boundary_may_be_padded() -> None:
    assert from_multipart(b"multipart/form-data; boundary=b", b"--b\r\n\r\nONE\r\n--b \t\r\n\r\nTWO\r\n--b--") == [
        b"ONE",
        b"TWO",
    ]


def test_a_photo_may_hold_what_looks_like_a_boundary() -> None:
    photo = b"\r\n--boundar\r\n--\r\n-boundary"
    body = b"--boundary\r\n\r\n" + photo + b"\r\n--boundary--"
    assert from_multipart(b"multipart/form-data; boundary=boundary", body) == [photo]


@pytest.mark.parametrize(
    ("content_type", "body", "told"),
    [
        (b"multipart/form-data", FORM, "names no boundary"),
        (b"multipart/form-data; boundary=", FORM, "names no boundary"),
        (b"multipart/form-data; boundary=c", FORM, "malformed"),
        (b"multipart/form-data; boundary=" + b"b" * 300, FORM, "malformed"),
        (b"multipart/form-data; boundary=b", FORM[:-10], "ends before"),
        (b"multipart/form-data; boundary=b", b"--b\r\nno header\r\n\r\n--b--", "malformed"),
        (b"multipart/form-data; boundary=b", b"--b\r\nA: " + b"x" * 10_000 + b"\r\n\r\n--b--", "malformed"),
        (b"multipart/form-data; boundary=b", b"--b--", "there is no photo"),
        (b"multipart/form-data; boundary=b", b"\r\n" * 1000, "ends before"),
        (b"multipart/form-data; boundary=b", b"--b\r\n\r\nx\r\n" * (MAX_PHOTOS + 1), "more than 32 photos"),
        (b"multipart/form-data; boundary=b", b"--b\r\n\r\n" + b"\r\n--bx" * (MAX_PHOTOS + 1), "more than 32 photos"),
        (b"multipart/form-data; boundary=b", b"--b" + b" \t" * 1000 + b"\r\n\r\nx\r\n--b--", "malformed"),
    ],
)
def test_other_forms_are_refused(content_type: bytes, body: bytes, told: str) -> None:
    with pytest.raises(RefusedError, match=told) as caught:
        from_multipart(content_type, body)
    assert caught.value.status == 400


@given(st.binary(max_size=300))
def test_any_bytes_are_photos_or_refused(body: bytes) -> None:
    with contextlib.suppress(RefusedError):
        from_json(body)
    with contextlib.suppress(RefusedError):
        from_multipart(b"multipart/form-data; boundary=b", b"--b" + body)
