"""Predictions over HTTP: every content type, every kind of picture."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from containers.inference.body import MAX_BYTES
from containers.inference.payload import MAX_PHOTOS
from steps.common.predictor import Predictor
from tests.containers.inference.bodies import FORM, JPEG, PICTURES, as_json, coded, form

Server = Any  # tests/containers/inference/conftest.py: ServerProcess
MakePhoto = Callable[..., bytes]

IMAGE_TYPES = [
    "image/jpeg",
    "image/png",
    "IMAGE/JPEG; q=1",
    "application/x-image",
    "Application/Octet-Stream",
    "image/*",
]


@pytest.fixture(scope="module")
def predictor(model_folder: Path) -> Predictor:
    return Predictor(model_folder, threads=1)


def expected(predictor: Predictor, photo: bytes) -> dict[str, Any]:
    [prediction] = predictor.predict([photo])
    return {
        "predicted_label": prediction.predicted_label,
        "predicted_index": prediction.predicted_index,
        "confidence": prediction.confidence,
        "ask_a_person": prediction.ask_a_person,
        "probabilities": list(prediction.probabilities),
        "class_labels": ["1", "2", "3", "4", "5"],
        "model_version": "bincount-demo/3",
    }


@pytest.mark.parametrize("content_type", IMAGE_TYPES)
def test_a_photo_is_answered_as_the_predictor_does(
    server: Server, predictor: Predictor, make_photo: MakePhoto, content_type: str
) -> None:
    photo = make_photo(3, shift=20)
    reply = server.invoke(photo, content_type)
    assert (reply.status, reply.json) == (200, expected(predictor, photo))


def test_a_body_without_a_type_is_a_photo(server: Server, make_photo: MakePhoto) -> None:
    reply = server.ask("POST", "/invocations", make_photo(2))
    assert (reply.status, reply.json["predicted_label"]) == (200, "2")


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_with_one_photo_gives_one_answer(
    server: Server, predictor: Predictor, make_photo: MakePhoto, content_type: str
) -> None:
    photo = make_photo(5)
    reply = server.invoke(as_json(image_base64=coded(photo)), content_type)
    assert (reply.status, reply.json) == (200, expected(predictor, photo))


@pytest.mark.parametrize("labels", [[4], [2, 5, 1, 1]])
def test_json_with_a_list_gives_a_list(server: Server, make_photo: MakePhoto, labels: list[int]) -> None:
    reply = server.invoke(as_json(images_base64=[coded(make_photo(label)) for label in labels]), "application/json")
    assert reply.status == 200
    assert [answer["predicted_label"] for answer in reply.json] == [str(label) for label in labels]


@pytest.mark.parametrize("labels", [[4], [2, 5, 1, 1], [3] * MAX_PHOTOS])
@pytest.mark.parametrize("boundary", ["xYz", "----WebKitFormBoundary7MA4YWxkTrZu0gW"])
def test_a_form_gives_a_list(server: Server, make_photo: MakePhoto, labels: list[int], boundary: str) -> None:
    body = form(*(make_photo(label) for label in labels), boundary=boundary)
    reply = server.invoke(body, f'Multipart/Form-Data; Boundary="{boundary}"')
    assert reply.status == 200
    assert [answer["predicted_label"] for answer in reply.json] == [str(label) for label in labels]


def test_chunks_are_put_together(server: Server, make_photo: MakePhoto) -> None:
    photo = make_photo(4)
    reply = server.invoke((photo[start : start + 100] for start in range(0, len(photo), 100)), "image/jpeg")
    assert (reply.status, reply.json["predicted_label"]) == (200, "4")


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl")
@pytest.mark.parametrize(
    ("arguments", "labels"),
    [
        (["--header", "Content-Type: image/jpeg", "--data-binary", "@2.jpg"], "2"),
        (["--header", "Content-Type: application/x-image", "--data-binary", "@2.jpg"], "2"),
        (["--header", "Content-Type: application/json", "--data-binary", "@2.json"], "2"),
        (["--form", "a=@2.jpg", "--form", "b=@5.jpg;type=image/jpeg"], ["2", "5"]),
    ],
)
def test_curl(server: Server, make_photo: MakePhoto, tmp_path: Path, arguments: list[str], labels: object) -> None:
    for label in (2, 5):
        (tmp_path / f"{label}.jpg").write_bytes(make_photo(label))
    (tmp_path / "2.json").write_bytes(as_json(image_base64=coded(make_photo(2))))
    command = ["curl", "--silent", "--fail", *arguments, f"http://127.0.0.1:{server.port}/invocations"]
    value = json.loads(subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout)
    found = [answer["predicted_label"] for answer in value] if isinstance(value, list) else value["predicted_label"]
    assert found == labels


@pytest.mark.parametrize("name", PICTURES)
def test_every_kind_of_picture_is_seen_as_a_viewer_shows_it(server: Server, predictor: Predictor, name: str) -> None:
    reply = server.invoke(PICTURES[name], "image/jpeg")  # the decoder finds out what it is
    assert (reply.status, reply.json) == (200, expected(predictor, PICTURES[name]))
    assert reply.json["predicted_label"] == "4"


def png(width: int, height: int) -> bytes:
    """Return a black PNG, one bit a pixel; whole up to 128 MiB of pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packed = zlib.compress(bytes(min((1 + (width + 7) // 8) * height, 2**27)))
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(1, 40_000_000), (40_000_000, 1), (20_001, 1), (7_100, 7_100), (60_000, 60_000)])
def test_pictures_over_the_limits_are_refused(server: Server, size: tuple[int, int]) -> None:
    reply = server.invoke(png(*size))
    assert reply.status == 400
    assert "pixels" in reply.json["error"]


NOTHING: list[tuple[str, bytes, int, str]] = [
    ("image/jpeg", b"", 400, "the body is empty"),
    ("application/json", b"", 400, "the body is empty"),
    ("image/jpeg", b"hello", 415, "not one of the formats"),
    ("image/jpeg", JPEG[:-40], 400, "the photo ends early or is damaged"),
    ("image/jpeg", JPEG[:20], 400, "the photo ends early or is damaged"),
    ("image/svg+xml", b"<svg/>", 415, "not one of the formats"),
    ("text/csv", JPEG, 415, "the Content-Type must be"),
    ("application/x-www-form-urlencoded", JPEG, 415, "the Content-Type must be"),
    ("imagejpeg", JPEG, 415, "the Content-Type must be"),
    ("application/json", as_json(image_base64=""), 400, "the photo is empty"),
    ("application/json", as_json(image_base64=coded(b"hello")), 415, "not one of the formats"),
    ("application/json", as_json(images_base64=[coded(JPEG), coded(b"hello")]), 415, "photo 2: not one of the formats"),
    ("application/json", as_json(images_base64=[coded(JPEG)] * 2 + [""]), 400, "photo 3: the photo is empty"),
    (FORM, form(JPEG, JPEG[:-40]), 400, "photo 2: the photo ends early"),
    (FORM, form(JPEG, b"text", JPEG[:-40]), 415, "photo 2: not one of the formats"),
    (FORM, form(b"", JPEG), 400, "photo 1: the photo is empty"),
    (FORM, form(JPEG, end=False), 400, "the multipart body ends before its last boundary"),
    (FORM, form(*[JPEG] * (MAX_PHOTOS + 1)), 400, "more than 32 photos"),
]


@pytest.mark.parametrize(("content_type", "body", "status", "told"), NOTHING)
def test_what_is_wrong_is_told(server: Server, content_type: str, body: bytes, status: int, told: str) -> None:
    reply = server.invoke(body, content_type)
    assert (reply.status, list(reply.json)) == (status, ["error"])
    assert told in reply.json["error"]
    assert reply.json["error"].isprintable()


@pytest.mark.parametrize("content_type", ["image/jpeg", "application/json", FORM])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused(server: Server, content_type: str, chunked: bool) -> None:
    body = bytes(MAX_BYTES + 1)
    reply = server.invoke(
        (body[start : start + 2**20] for start in range(0, len(body), 2**20)) if chunked else body, content_type
    )
    assert (reply.status, reply.json["error"]) == (413, f"the body is over {MAX_BYTES} bytes")


def test_a_body_at_the_limit_is_read(server: Server) -> None:
    assert server.invoke(JPEG.ljust(MAX_BYTES, b"\0")).status == 200


def test_a_compressed_body_is_refused(server: Server) -> None:
    reply = server.ask("POST", "/invocations", JPEG, {"Content-Type": "image/jpeg", "Content-Encoding": "gzip"})
    assert (reply.status, reply.json["error"]) == (415, "the body must come without a Content-Encoding")


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("GET", "/invocations", 405, "POST"),
        ("POST", "/ping", 405, "GET, HEAD"),
        ("GET", "/", 404, None),
        ("GET", "/metrics", 404, None),
        ("POST", "/invocations/", 404, None),
        ("GET", "/ping%0aevent", 404, None),
    ],
)
def test_other_requests_are_refused(server: Server, method: str, path: str, status: int, allow: str | None) -> None:
    reply = server.ask(method, path, b"x" if method == "POST" else None)
    assert (reply.status, reply.headers.get("allow")) == (status, allow)
    assert list(reply.json) == ["error"]


def test_health_is_answered_at_once_while_large_photos_are_decoded(server: Server) -> None:
    large = form(*[png(7_000, 7_000)] * 4)  # within what one request may take
    with ThreadPoolExecutor(3) as pool:
        replies = [pool.submit(server.invoke, large, FORM) for _ in range(2)]
        while not all(reply.done() for reply in replies):
            command = pool.submit(server.ask, "GET", "/ping")
            assert command.result(timeout=2).status == 200  # what the service allows
    assert [reply.result().status for reply in replies] == [200, 200]


@pytest.mark.abid
def test_real_photos(server: Server, predictor: Predictor, abid: Path) -> None:
    photos = [path.read_bytes() for path in sorted((abid / "bin-images").glob("*.jpg"))[:MAX_PHOTOS]]
    reply = server.invoke(form(*photos), FORM)
    assert reply.status == 200
    for answer, single in zip(reply.json, (expected(predictor, photo) for photo in photos), strict=True):
        assert answer["predicted_label"] == single["predicted_label"]
        assert answer["probabilities"] == pytest.approx(single["probabilities"], abs=1e-5)
