"""Data capture: what was asked and answered, kept in the local S3 as the service keeps it."""

from __future__ import annotations

import base64
import json
import random
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pipeline.local.endpoints.plan import Plan
from pipeline.local.s3 import LocalS3

_MODES = {"Input": ("endpointInput",), "Output": ("endpointOutput",)}
_BOTH = ("endpointInput", "endpointOutput")


def is_sampled(plan: Plan) -> bool:
    """Say whether this invocation is one of those to keep."""
    capture = plan.capture or {}
    percent = capture.get("InitialSamplingPercentage", 0) if capture.get("EnableCapture") else 0
    return random.random() * 100 < percent  # noqa: S311 - a sample, no secret


def keep(
    s3: LocalS3,
    endpoint: str,
    plan: Plan,
    asked: tuple[str, bytes],
    answered: tuple[str, bytes],
    inference_id: str | None,
) -> None:
    """Keep one invocation, each side given as (content type, body). Raises S3Error and OSError.

    One object an invocation: objects are replaced as a whole, so two that append to one would lose lines.
    """
    capture, now = plan.capture or {}, datetime.now(UTC)
    sides = {"endpointInput": ("INPUT", *asked), "endpointOutput": ("OUTPUT", *answered)}
    modes = {side for option in capture["CaptureOptions"] for side in _MODES.get(option["CaptureMode"], _BOTH)}
    event = {"eventId": str(uuid.uuid4()), "inferenceTime": now.strftime("%Y-%m-%dT%H:%M:%SZ")}
    record = {
        "captureData": {name: _side(capture, *side) for name, side in sides.items() if name in modes},
        "eventMetadata": event | ({"inferenceId": inference_id} if inference_id else {}),
        "eventVersion": "0",
    }
    file = f"{now:%M-%S}-{now.microsecond // 1000:03d}-{event['eventId']}.jsonl"
    uri = f"{capture['DestinationS3Uri'].rstrip('/')}/{endpoint}/{plan.variant}/{now:%Y/%m/%d/%H}/{file}"
    s3.put_bytes(uri, json.dumps(record).encode() + b"\n")


def _side(capture: Mapping[str, Any], mode: str, content_type: str, body: bytes) -> dict[str, str]:
    data, encoding = _encoded(capture.get("CaptureContentTypeHeader", {}), content_type, body)
    return {"observedContentType": content_type, "mode": mode, "data": data, "encoding": encoding}


def _encoded(types: Mapping[str, Any], content_type: str, body: bytes) -> tuple[str, str]:
    """Return the body as text: as it is for the types that the configuration lists, else in base64."""
    essence = content_type.partition(";")[0].strip().lower()
    for member, encoding in (("JsonContentTypes", "JSON"), ("CsvContentTypes", "CSV")):
        if essence in {one.lower() for one in types.get(member, [])}:
            try:
                return body.decode(), encoding
            except UnicodeDecodeError:
                break
    return base64.b64encode(body).decode(), "BASE64"
