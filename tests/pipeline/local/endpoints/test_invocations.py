from __future__ import annotations

import base64
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

CAPTURE = {
    "EnableCapture": True,
    "InitialSamplingPercentage": 100,
    "DestinationS3Uri": "s3://bincount-local/capture/",
    "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
    "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
}


def _told(answer: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(answer["Body"].read())
    return told


def test_what_is_sent_and_what_comes_back(hosting: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    hosting.create(hosting.config("v1"))
    given = {"ContentType": "image/jpeg", "Accept": "application/json", "CustomAttributes": "a=1"}
    answer = hosting.invoke(body=b"12345", **given, InferenceId="one", TargetVariant="AllTraffic")
    assert answer["ContentType"] == "application/json"
    assert (answer["InvokedProductionVariant"], answer["CustomAttributes"]) == ("AllTraffic", "seen")
    told = _told(answer)
    assert (told["size"], told["aws"]) == (5, [])
    sent = {
        "content-type": "image/jpeg",
        "accept": "application/json",
        "x-amzn-sagemaker-custom-attributes": "a=1",
        "x-amzn-sagemaker-inference-id": "one",
    }
    assert sent.items() <= told["headers"].items()


@pytest.mark.parametrize("body", [b"abc", bytearray(b"abc"), "abc", io.BytesIO(b"abc"), b""])
def test_every_kind_of_body(hosting: Any, body: Any) -> None:
    hosting.create(hosting.config("v1"))
    assert _told(hosting.invoke(body=body))["size"] == (0 if body == b"" else 3)


def test_a_body_over_the_limit_is_refused(hosting: Any) -> None:
    hosting.create(hosting.config("v1"))
    for body in (bytes(6 * 2**20 + 1), io.BytesIO(bytes(6 * 2**20 + 1))):
        with pytest.raises(ClientError, match=r"6291456"):
            hosting.invoke(body=body)
    assert _told(hosting.invoke(body=bytes(6 * 2**20)))["size"] == 6 * 2**20


@pytest.mark.parametrize(
    ("mode", "status", "message"),
    [
        ("415", 415, '{"error": "not a picture"}'),
        ("500", 500, '{"error": "not a picture"}'),
        ("huge", 0, "larger than 6 MiB"),
        ("mute", 0, "without an answer"),
    ],
)
def test_what_is_not_200_is_a_model_error(hosting: Any, mode: str, status: int, message: str) -> None:
    hosting.create(hosting.config("v1", mode=mode))
    with pytest.raises(hosting.runtime.exceptions.ModelError) as caught:
        hosting.invoke()
    told = caught.value.response
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert told["OriginalStatusCode"] == status
    assert message in told["OriginalMessage"]
    assert message in told["Error"]["Message"]
    kind = "client" if status == 415 else "server"
    assert told["Error"]["Message"].startswith(f"Received {kind} error ({status}) from primary with message")
    assert "/bins/v1/1.log" in told["Error"]["Message"]
    assert told["LogStreamArn"].endswith(":log-group:/aws/sagemaker/Endpoints/bins")


def test_a_server_that_takes_too_long_is_given_up(hosting: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.local.endpoints import asking

    monkeypatch.setattr(asking, "INVOCATION_SECONDS", 0.3)
    hosting.create(hosting.config("v1", mode="hangs"))
    with pytest.raises(ClientError, match="timed out"):
        hosting.invoke()


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        ({"name": "none"}, "ValidationError", "Endpoint none of account 000000000000 not found"),
        ({"TargetVariant": "Other"}, "ValidationError", "Variant Other was not found"),
        ({"CustomAttributes": "a\r\nX-Evil: 1"}, "ValidationError", "Invalid header value"),
        ({"TargetModel": "m.tar.gz"}, "NotImplemented", "TargetModel"),
    ],
)
def test_what_is_refused(hosting: Any, more: dict[str, str], code: str, message: str) -> None:
    hosting.create(hosting.config("v1"))
    with pytest.raises(ClientError, match=message) as caught:
        hosting.invoke(**more)
    assert caught.value.response["Error"]["Code"] == code


def test_invocations_are_recorded_for_the_alarms(hosting: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.local.aws import alarms

    recorded: list[tuple[Any, ...]] = []
    monkeypatch.setattr(alarms, "record_invocation", lambda *values: recorded.append(values))
    hosting.create(hosting.config("v1"))
    hosting.create(hosting.config("v2", mode="500"), "broken")
    hosting.create(hosting.config("v3", mode="mute"), "mute")
    hosting.invoke()
    for name in ("broken", "mute"):
        with pytest.raises(ClientError):
            hosting.invoke(name)
    assert [values[1:5] for values in recorded] == [
        ("bins", "AllTraffic", "v1", 200),
        ("broken", "AllTraffic", "v2", 500),
        ("mute", "AllTraffic", "v3", 500),
    ]
    assert 0 < recorded[0][5] < 30e6


def _captured(hosting: Any) -> list[tuple[str, dict[str, Any]]]:
    root: Path = hosting.home.s3 / "bincount-local"
    files = sorted(root.glob("capture/**/*.jsonl"))
    return [(str(path.relative_to(root)), json.loads(line)) for path in files for line in path.read_text().splitlines()]


def test_captured_invocations_have_the_shape_of_the_service(hosting: Any) -> None:
    found = hosting.create(hosting.config("v1", DataCaptureConfig=CAPTURE))
    assert found["DataCaptureConfig"]["CaptureStatus"] == "Started"
    told = hosting.invoke(body=b"\xff\xd8", ContentType="image/jpeg", InferenceId="one")["Body"].read().decode()
    ((path, record),) = _captured(hosting)
    assert re.fullmatch(r"capture/bins/AllTraffic/\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl", path)
    assert record["captureData"] == {
        "endpointInput": {
            "observedContentType": "image/jpeg",
            "mode": "INPUT",
            "data": base64.b64encode(b"\xff\xd8").decode(),
            "encoding": "BASE64",
        },
        "endpointOutput": {
            "observedContentType": "application/json",
            "mode": "OUTPUT",
            "data": told,
            "encoding": "JSON",
        },
    }
    assert record["eventMetadata"]["inferenceId"] == "one"
    assert record["eventVersion"] == "0"


def test_only_what_is_asked_for_is_captured(hosting: Any) -> None:
    output = {**CAPTURE, "CaptureOptions": [{"CaptureMode": "Output"}]}
    hosting.create(hosting.config("v1", DataCaptureConfig=output))
    hosting.invoke()
    ((_, record),) = _captured(hosting)
    assert list(record["captureData"]) == ["endpointOutput"]
    changes: list[dict[str, Any]] = [{"EnableCapture": False}, {"InitialSamplingPercentage": 0}]
    for number, change in enumerate(changes, 2):
        hosting.update(hosting.config(f"v{number}", DataCaptureConfig=CAPTURE | change))
        hosting.invoke()
    assert len(_captured(hosting)) == 1


def test_a_capture_that_cannot_be_kept_changes_no_answer(hosting: Any) -> None:
    hosting.create(hosting.config("v1", DataCaptureConfig=CAPTURE))
    hosting.s3.put_object(Bucket="bincount-local", Key="capture", Body=b"an object in the folder's place")
    assert _told(hosting.invoke())["version"] == "v1"
