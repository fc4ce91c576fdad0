"""An account of moto's with a production endpoint that captures, and a version with a baseline."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from drift.handler import handler

GROUP, ENDPOINT, BUCKET = "bincount-demo", "bincount-demo-production", "artifacts"
ROLE = "arn:aws:iam::123456789012:role/bincount-model"
LABELS = ["1", "2", "3", "4", "5"]
EVEN = [1, 1, 1, 1, 1]


def answers(weights: list[int], number: int, version: int = 1, confidence: float = 0.8) -> list[dict[str, Any]]:
    """Return answers whose classes are drawn by weight, with confidences around one."""
    drawn = random.Random(0)
    found = []
    for label in drawn.choices(range(5), weights, k=number):
        sure = min(max(drawn.gauss(confidence, 0.05), 0.3), 0.99)
        probabilities = [(1 - sure) / 4] * 5
        probabilities[label] = sure
        known = {"class_labels": LABELS, "probabilities": probabilities, "model_version": f"{GROUP}/{version}"}
        found.append({"predicted_index": label, **known})
    return found


def baseline(weights: list[int], number: int = 500, confidence: float = 0.8) -> dict[str, Any]:
    """Return the baseline.json of such answers."""
    given = answers(weights, number, confidence=confidence)
    confidences, predicted = [0] * 100, [0] * 5
    for one in given:
        highest = max(one["probabilities"])
        predicted[one["predicted_index"]] += 1
        confidences[-int(-highest * 100 // 1) - 1] += 1
    mean = sum(max(one["probabilities"]) for one in given) / number
    return {
        "photos": number,
        "class_labels": LABELS,
        "predicted": predicted,
        "confidences": confidences,
        "mean_confidence": mean,
    }


@dataclass
class World:
    """The account."""

    session: boto3.Session
    sagemaker: Any
    s3: Any
    files: list[str] = field(default_factory=list)

    def register(self, document: object = None) -> None:
        """Register a version, with a baseline where one is given."""
        named: dict[str, Any] = {}
        if document is not None:
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.s3.put_object(Bucket=BUCKET, Key="evaluation/baseline.json", Body=body)
            where = {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/evaluation/baseline.json"}
            named = {"DriftCheckBaselines": {"ModelQuality": {"Statistics": where}}}
        self.sagemaker.create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [{"Image": "image", "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}],
                "SupportedContentTypes": ["image/jpeg"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            **named,
        )

    def serve(self, config: str = f"{ENDPOINT}-v1-0123abcd", *, capture: bool = True) -> None:
        """Start the endpoint, as the deploy function does."""
        captured = {
            "EnableCapture": capture,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{BUCKET}/bincount/capture",
            "CaptureOptions": [{"CaptureMode": "Output"}],
        }
        image = {"Image": "image", "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
        variant = {"VariantName": "AllTraffic", "ModelName": "model", "InstanceType": "ml.m5.large"}
        self.sagemaker.create_model(ModelName="model", ExecutionRoleArn=ROLE, PrimaryContainer=image)
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=config,
            ProductionVariants=[variant | {"InitialInstanceCount": 1}],
            DataCaptureConfig=captured,
        )
        self.sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=config)

    def keep(self, given: list[dict[str, Any]], hours: float = 1.0, *, per_file: int = 50) -> None:
        """Capture answers, so many hours ago, so many a file."""
        then = datetime.now(UTC) - timedelta(hours=hours)
        for begin in range(0, len(given), per_file):
            lines = (self._line(one, then) for one in given[begin : begin + per_file])
            self.put("".join(lines).encode(), then)

    def put(self, content: bytes, then: datetime) -> None:
        """Keep a file as data capture does."""
        key = f"bincount/capture/{ENDPOINT}/AllTraffic/{then:%Y/%m/%d/%H}/{len(self.files):05d}.jsonl"
        self.files.append(key)
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    @staticmethod
    def _line(given: dict[str, Any], then: datetime) -> str:
        output = {"observedContentType": "application/json", "data": json.dumps(given), "encoding": "JSON"}
        record = {
            "captureData": {"endpointOutput": output},
            "eventMetadata": {"inferenceTime": f"{then:%Y-%m-%dT%H:%M:%SZ}"},
        }
        return json.dumps(record) + "\n"

    def call(self, seconds: float = 900.0, **members: Any) -> dict[str, Any]:
        context = SimpleNamespace(get_remaining_time_in_millis=lambda: seconds * 1000)
        return handler({"ModelPackageGroupName": GROUP, **members}, context)

    def metrics(self) -> dict[str, float]:
        """Return the newest value of each metric."""
        cloudwatch: Any = self.session.client("cloudwatch")
        found = cloudwatch.list_metrics(Namespace="Bincount")["Metrics"]
        now = datetime.now(UTC)
        values = {}
        for one in found:
            assert one["Dimensions"] == [{"Name": "ModelPackageGroupName", "Value": GROUP}]
            points = cloudwatch.get_metric_statistics(
                **one,
                StartTime=now - timedelta(hours=1),
                EndTime=now + timedelta(hours=1),
                Period=3600,
                Statistics=["Maximum"],
            )["Datapoints"]
            values[one["MetricName"]] = max(point["Maximum"] for point in points)
        return values


@contextmanager
def captured(session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give an account of moto's with an empty group, and the drift function's environment."""
    monkeypatch.setenv("PROJECT", "bincount")
    monkeypatch.setenv("PSI_LIMIT", "0.2")
    made = World(session, session.client("sagemaker"), session.client("s3"))
    made.s3.create_bucket(Bucket=BUCKET)
    made.sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    yield made
