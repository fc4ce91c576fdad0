from __future__ import annotations

import json
import socket
import threading

import pytest

from predict import clients, endpoint
from predict.errors import RefusalError
from tests.servers import ANSWER, Hosted

PHOTO = b"\xff\xd8\xff\x00\x80 not UTF-8"


def refusal() -> RefusalError:
    with pytest.raises(RefusalError) as caught:
        endpoint.ask("bincount-demo-staging", PHOTO, "image/jpeg")
    assert "10.0.3.17" not in caught.value.message
    return caught.value


def test_the_photo_goes_as_it_is_and_the_answer_comes_back(hosted: Hosted) -> None:
    assert endpoint.ask("bincount-demo-staging", PHOTO, "image/jpeg") == ANSWER
    assert hosted.asked == [("/endpoints/bincount-demo-staging/invocations", "image/jpeg", PHOTO)]


@pytest.mark.parametrize(
    ("original", "status"), [(400, 400), (413, 413), (415, 415), (404, 424), (500, 424), (503, 424), (None, 424)]
)
def test_what_the_container_says_of_the_photo_is_the_callers_to_mend(
    original: int | None, status: int, hosted: Hosted
) -> None:
    hosted.refuse(424, "ModelError", OriginalStatusCode=original, OriginalMessage="Traceback of 10.0.3.17")
    assert refusal().status == status


def test_our_servers_own_words_are_repeated_in_a_line(hosted: Hosted) -> None:
    said = json.dumps({"error": "the photo\nends early " + "a" * 1000})
    hosted.refuse(424, "ModelError", OriginalStatusCode=400, OriginalMessage=said)
    message = refusal().message
    assert message.startswith("the endpoint cannot use the photo: the photo ends early aaa")
    assert len(message) < 400
    hosted.refuse(424, "ModelError", OriginalStatusCode=500, OriginalMessage=said)
    assert refusal().message == "the model failed"


@pytest.mark.parametrize("said", ["", "[]", "{}", '{"error": 7}', "<html>", "[" * 100_000, "null"])
def test_other_words_are_not(said: str, hosted: Hosted) -> None:
    hosted.refuse(424, "ModelError", OriginalStatusCode=415, OriginalMessage=said)
    assert refusal().message == "the endpoint does not take this kind of picture"


@pytest.mark.parametrize(
    ("http", "code", "status"),
    [
        (429, "ModelNotReadyException", 503),
        (503, "ServiceUnavailable", 503),
        (500, "InternalFailure", 503),
        (400, "ThrottlingException", 503),
        (400, "ValidationError", 424),
        (403, "AccessDeniedException", 424),
    ],
)
def test_what_the_service_refuses(http: int, code: str, status: int, hosted: Hosted) -> None:
    hosted.refuse(http, code)
    assert refusal().status == status


@pytest.mark.parametrize("body", [b"", b"[1]", b'"3"', b"<html>", b'{"confidence": NaN}', b"\xff\xfe", b"[" * 100_000])
def test_an_answer_that_is_no_json_object_is_the_models_fault(body: bytes, hosted: Hosted) -> None:
    hosted.body = body
    assert refusal().status == 424


def test_an_endpoint_that_takes_too_long(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "ENDPOINT_READ_SECONDS", 0.2)
    hosted.wait = threading.Event()
    refused = refusal()
    hosted.wait.set()
    assert refused.status == 504


def test_an_endpoint_that_is_not_reached(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", f"http://127.0.0.1:{free.getsockname()[1]}")
    refused = refusal()
    assert (refused.status, "127.0.0.1" in refused.message) == (503, False)
