from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from predict.errors import RefusalError
from predict.events import Held, Named, is_http, parse
from predict.limits import LARGEST_PHOTO

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def status(event: Any) -> int:
    with pytest.raises(RefusalError) as caught:
        parse(event)
    return caught.value.status


def http(body: Any, content_type: str | None = "application/json", *, encoded: bool = False) -> dict[str, Any]:
    headers = {} if content_type is None else {"Content-Type": content_type}
    return {"requestContext": {}, "headers": headers, "body": body, "isBase64Encoded": encoded}


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_the_three_ways_of_a_direct_call() -> None:
    assert parse({"image_url": "https://a/b"}) == Named("image_url", "https://a/b")
    assert parse({"s3_uri": "s3://a/b", "image_url": None}) == Named("s3_uri", "s3://a/b")
    assert parse({"image_base64": "cGhv\ndG8=\n"}) == Held("image_base64", b"photo")
    assert not is_http({"image_url": "https://a/b"})


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "text",
        7,
        {},
        {"image_url": "https://a/", "s3_uri": "s3://a/b"},
        {"image_url": "https://a/", "model": "other"},
        {"imageUrl": "https://a/"},
        {"image_url": ""},
        {"image_url": 7},
        {"image_url": ["https://a/"]},
        {"image_base64": "%%%"},
        {"image_base64": "abc"},
        {"image_base64": "ÄÖÜ"},
        {"image_base64": {"bytes": 1}},
    ],
)
def test_what_a_direct_call_must_not_be(event: Any) -> None:
    assert status(event) == 400


@pytest.mark.parametrize(
    "event",
    [
        http(None),
        http(""),
        http({"image_url": "https://a/"}),
        http("no json"),
        http("[]"),
        http("[" * 100_000),
        http("{}"),
        http("%%%", encoded=True),
        http(b64(b"\xff\xfe"), encoded=True),
        http("photo as text", "image/jpeg"),
        http("%%%", "image/jpeg", encoded=True),
        {"requestContext": {}},
        {"requestContext": {}, "body": "{}", "headers": None},
    ],
)
def test_what_a_request_must_not_be(event: dict[str, Any]) -> None:
    assert is_http(event)
    assert status(event) == 400


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", None])
def test_a_body_of_any_other_type_is_read_as_json(kind: str | None) -> None:
    body = json.dumps({"s3_uri": "s3://a/b"})
    assert parse(http(body, kind)) == Named("s3_uri", "s3://a/b")
    assert parse(http(b64(body.encode()), kind, encoded=True)) == Named("s3_uri", "s3://a/b")


@pytest.mark.parametrize(
    "kind", ["image/jpeg", "IMAGE/PNG; q=1", "application/octet-stream", "application/x-image", "image/anything"]
)
def test_a_body_of_a_picture_type_is_the_photo(kind: str) -> None:
    assert parse(http(b64(b"photo"), kind, encoded=True)) == Held("body", b"photo")


def test_header_names_in_any_case() -> None:
    event = http(b64(b"photo"), None, encoded=True)
    for name in ("content-type", "CONTENT-TYPE", "Content-type"):
        assert parse({**event, "headers": {"Host": "x", name: "image/jpeg"}}) == Held("body", b"photo")


def test_photos_up_to_the_limit() -> None:
    at_limit = parse({"image_base64": b64(bytes(LARGEST_PHOTO))})
    assert isinstance(at_limit, Held)
    assert len(at_limit.photo) == LARGEST_PHOTO
    for over in (1, 2, 3, 1000):
        assert status({"image_base64": b64(bytes(LARGEST_PHOTO + over))}) == 413
        assert status(http(b64(bytes(LARGEST_PHOTO + over)), "image/png", encoded=True)) == 413


@given(st.binary())
def test_any_bytes_come_through(data: bytes) -> None:
    if data:
        assert parse({"image_base64": b64(data)}) == Held("image_base64", data)
        assert parse(http(b64(data), "image/png", encoded=True)) == Held("body", data)


@given(JSON | st.fixed_dictionaries({}, optional=dict.fromkeys(("image_url", "s3_uri", "image_base64"), JSON)))
def test_any_json_is_understood_or_refused(event: Any) -> None:
    for one in (event, http(json.dumps(event)), http(event)):
        try:
            assert isinstance(parse(one), Named | Held)
        except RefusalError as refusal:
            known = refusal.status
            assert known == 400


@given(st.dictionaries(st.sampled_from(["requestContext", "headers", "body", "isBase64Encoded", "version"]), JSON))
def test_any_members_of_a_request_are_understood_or_refused(event: dict[str, Any]) -> None:
    try:
        parse(event)
    except RefusalError as refusal:
        assert refusal.status == 400  # noqa: PT017 - both outcomes are right
