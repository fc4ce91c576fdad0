from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from predict import endpoint, events, fetch, s3
from predict.errors import refused_host
from predict.handler import handler
from tests.servers import ANSWER, Hosted

ROOT = Path(__file__).parents[3]
EVENTS = ROOT / "tests" / "events" / "predict"
NAME = "bincount-demo-production"
URL = "https://aft-vbi-pds.s3.amazonaws.com/bin-images/523.jpg"
URI = "s3://bincount-local/bincount/events/photo.jpg"
INPUTS = {
    "direct-image-url": {"image_url": URL},
    "direct-s3-uri": {"s3_uri": URI},
    "direct-image-base64": {"image_base64": "3242 bytes"},
    "rest-v1-json": {"image_url": URL},
    "rest-v1-json-base64": {"s3_uri": URI},
    "rest-v1-photo": {"body": "3242 bytes"},
    "http-v2-json": {"s3_uri": URI},
    "http-v2-json-base64": {"image_base64": "3242 bytes"},
    "http-v2-photo": {"body": "3242 bytes"},
    "function-url-json": {"image_base64": "3242 bytes"},
    "function-url-json-base64": {"image_url": URL},
    "function-url-photo": {"body": "3242 bytes"},
}


@pytest.fixture
def deployed(hosted: Hosted, photo: bytes, monkeypatch: pytest.MonkeyPatch) -> Hosted:
    """Give the endpoint that the function asks; the photo lies at any URL and in the bucket."""
    monkeypatch.setenv("ENDPOINT_NAME", NAME)
    monkeypatch.setenv("ALLOWED_BUCKETS", "other, bincount-local")
    monkeypatch.setattr(fetch, "fetch", lambda *_: photo)
    monkeypatch.setattr(s3, "_get", lambda *_: photo)
    return hosted


def test_every_event_file_has_a_test() -> None:
    assert {file.stem for file in EVENTS.iterdir()} == set(INPUTS)


@pytest.mark.parametrize("name", INPUTS)
def test_every_event_is_answered_as_its_sender_expects(name: str, deployed: Hosted, photo: bytes) -> None:
    event = json.loads((EVENTS / f"{name}.json").read_text())
    answer = handler(event, None)
    if not name.startswith("direct"):
        assert set(answer) == {"statusCode", "headers", "body", "isBase64Encoded"}
        assert (answer["statusCode"], answer["headers"]["Content-Type"]) == (200, "application/json")
        answer = json.loads(answer["body"])
    assert answer == {"endpoint": NAME, "input": INPUTS[name], "result": ANSWER}
    assert deployed.asked == [(f"/endpoints/{NAME}/invocations", "image/jpeg", photo)]


def test_a_failure_is_an_answer_of_the_same_kind(deployed: Hosted) -> None:
    bad = base64.b64encode(b"not a picture").decode()
    answer = handler({"image_base64": bad}, None)
    assert (set(answer), answer["statusCode"]) == ({"statusCode", "error"}, 415)
    event = json.loads((EVENTS / "http-v2-photo.json").read_text())
    answer = handler({**event, "body": bad}, None)
    assert answer["statusCode"] == 415
    assert set(json.loads(answer["body"])) == {"error"}
    assert deployed.asked == []


def test_no_endpoint_is_said(photo: bytes) -> None:
    answer = handler({"image_base64": base64.b64encode(photo).decode()}, None)
    assert (answer["statusCode"], "ENDPOINT_NAME" in answer["error"]) == (424, True)


def test_a_fault_of_ours_shows_no_inside_and_is_logged(
    deployed: Hosted, photo: bytes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("inner secret")

    monkeypatch.setattr(endpoint, "ask", broken)
    answer = handler({"image_base64": base64.b64encode(photo).decode()}, None)
    assert answer == {"statusCode": 500, "error": "the function failed; its log says why"}
    assert "inner secret" in capsys.readouterr().out


def test_the_log_has_a_line_of_json_without_the_photo_or_the_query(
    deployed: Hosted, photo: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = "X-Amz-Signature=0123"
    handler({"image_base64": base64.b64encode(photo).decode()}, None)
    answer = handler({"image_url": f"{URL}?{secret}"}, None)
    assert answer["input"] == {"image_url": URL}
    handler({"image_url": f"{URL}?{secret}", "s3_uri": URI}, None)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["status"] for line in lines] == [200, 200, 400]
    assert not any(secret in str(line) or len(str(line)) > 400 for line in lines)


def test_as_it_is_set_up_private_hosts_plain_http_and_all_buckets_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENDPOINT_NAME", NAME)
    answer = handler({"image_url": "https://169.254.100.1/2026-01-15/metadata/execution-environment"}, None)
    assert answer == {"statusCode": 403, "error": refused_host().message}
    assert handler({"image_url": "http://example.com/a.jpg"}, None)["statusCode"] == 400
    assert handler({"s3_uri": URI}, None)["statusCode"] == 403
    monkeypatch.setenv("ALLOWED_SCHEMES", "https,http")
    assert handler({"image_url": "http://127.0.0.1:80/a.jpg"}, None)["statusCode"] == 403


@given(st.dictionaries(st.sampled_from([*events.WAYS, "body", "requestContext"]), st.text() | st.none(), max_size=2))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_no_event_makes_it_raise_or_fail(deployed: Hosted, event: dict[str, Any]) -> None:
    assert handler(event, None).get("statusCode", 200) != 500


@pytest.mark.abid
def test_a_real_photo_from_the_bucket(
    abid: Path, hosted: Hosted, moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = next((abid / "bin-images").iterdir()).read_bytes()
    monkeypatch.setenv("ENDPOINT_NAME", NAME)
    monkeypatch.setenv("ALLOWED_BUCKETS", "photos")
    moto_session.client("s3").create_bucket(Bucket="photos")
    moto_session.client("s3").put_object(Bucket="photos", Key="a.jpg", Body=data)
    monkeypatch.setattr(endpoint, "ask", lambda name, photo, kind: {"name": name, "same": photo == data, "kind": kind})
    answer = handler({"s3_uri": "s3://photos/a.jpg"}, None)
    assert answer["result"] == {"name": NAME, "same": True, "kind": "image/jpeg"}


def test_the_import_makes_no_client_and_brings_nothing_that_boto3_did_not() -> None:
    program = """
import sys, boto3, botocore.config
before = set(sys.modules)
import predict.handler
from predict import clients
assert clients.s3.cache_info().currsize == clients.runtime.cache_info().currsize == 0
assert boto3.DEFAULT_SESSION is None
print(*sorted(name for name in set(sys.modules) - before if not name.startswith("predict")))
"""
    environment = {"PYTHONPATH": str(ROOT / "lambda")}
    run = [sys.executable, "-c", program]
    brought = subprocess.run(run, env=environment, capture_output=True, text=True, check=True).stdout.split()
    assert len(brought) < 10, brought
