"""An account with a group of versions, its endpoints, and servers that answer well or badly as a test wants."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from deploy.handler import handler

if TYPE_CHECKING:
    from tests.extended_moto import Endpoints

ROLE = "arn:aws:iam::123456789012:role/bincount-model"
GROUP = "bincount-demo"
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:bincount-deploy"
PROBABILITIES = [0.1, 0.2, 0.5, 0.15, 0.05]
LABELS = ["1", "2", "3", "4", "5"]
SMOKE = {
    "content_type": "image/jpeg",
    "photo_base64": base64.b64encode(b"photo").decode(),
    "predicted_label": "3",
    "probabilities": PROBABILITIES,
    "class_labels": LABELS,
}


def good_answer(model_version: str) -> dict[str, Any]:
    return {
        "predicted_label": "3",
        "predicted_index": 2,
        "confidence": 0.5,
        "probabilities": PROBABILITIES,
        "class_labels": LABELS,
        "model_version": model_version,
    }


@dataclass
class World:
    """The account, and what happens in it beside the function."""

    session: boto3.Session
    endpoints: Endpoints
    sagemaker: Any
    bad: set[int] = field(default_factory=set)
    """Versions whose servers answer wrongly."""
    dead: set[int] = field(default_factory=set)
    """Versions whose containers do not start."""
    asked: list[str] = field(default_factory=list)
    """The versions that were asked for an answer."""

    def call(self, event: object) -> dict[str, Any]:
        return handler(event, SimpleNamespace(invoked_function_arn=FUNCTION))

    def register(self, **metadata: str) -> int:
        """Add a version and return its number."""
        made = self.sagemaker.create_model_package(
            ModelPackageGroupName=GROUP,
            ModelApprovalStatus="PendingManualApproval",
            InferenceSpecification={
                "Containers": [{"Image": "image", "ModelDataUrl": "s3://artifacts/model.tar.gz"}],
                "SupportedContentTypes": ["image/jpeg"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            CustomerMetadataProperties={"SmokeTest": "s3://artifacts/smoke.json", **metadata},
        )
        return int(made["ModelPackageArn"].rpartition("/")[2])

    def arn(self, version: int) -> str:
        return f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{GROUP}/{version}"

    def step(self, version: int) -> dict[str, Any]:
        event = {"Stage": "staging", "ModelPackageArn": self.arn(version), "PipelineExecutionArn": "arn:aws:e"}
        return self.call(event)

    def decide(self, version: int, status: str) -> dict[str, Any]:
        """Approve or reject a version, and deliver the event."""
        self.sagemaker.update_model_package(ModelPackageArn=self.arn(version), ModelApprovalStatus=status)
        return self.call(self.package_event(version, status))

    def package_event(self, version: int, status: str = "Approved") -> dict[str, Any]:
        return {
            "version": "0",
            "detail-type": "SageMaker Model Package State Change",
            "source": "aws.sagemaker",
            "resources": [self.arn(version)],
            "detail": {
                "ModelPackageGroupName": GROUP,
                "ModelPackageVersion": version,
                "ModelPackageArn": self.arn(version),
                "ModelApprovalStatus": status,
                "UpdatedModelPackageFields": ["ModelApprovalStatus"],
            },
        }

    def endpoint_event(self, name: str, status: str = "IN_SERVICE") -> dict[str, Any]:
        detail = {"EndpointName": name, "EndpointStatus": status}
        return {"detail-type": "SageMaker Endpoint State Change", "source": "aws.sagemaker", "detail": detail}

    def reconcile(self) -> dict[str, Any]:
        return self.call({"Action": "reconcile", "ModelPackageGroupName": GROUP})

    def end_changes(self) -> list[str]:
        """Let all changes that are under way come to an end, and return the names of their endpoints."""
        ended = []
        for one in self.sagemaker.list_endpoints()["Endpoints"]:
            name = one["EndpointName"]
            if one["EndpointStatus"] in {"InService", "Failed"}:
                continue
            ended.append(name)
            version = int(self.endpoints.config_under_way(name).split("-v")[-1].split("-")[0])
            if version in self.dead and one["EndpointStatus"] != "Deleting":
                self.endpoints.fail(name)
            else:
                self.endpoints.finish(name)
        return ended

    def drive(self) -> None:
        """End changes and deliver their events until nothing is under way."""
        for _ in range(20):
            ended = self.end_changes()
            for name in ended:
                self.call(self.endpoint_event(name))
            if not ended:
                return
        pytest.fail("the endpoints do not come to rest")

    def bring_to_production(self, **metadata: str) -> int:
        """Register a version, deploy it to staging, approve it and deploy it to production."""
        version = self.register(**metadata)
        self.step(version)
        self.drive()
        self.decide(version, "Approved")
        self.drive()
        assert self.live("production") == version
        return version

    def endpoint(self, stage: str) -> dict[str, Any] | None:
        found = self.sagemaker.list_endpoints(NameContains=f"{GROUP}-{stage}")["Endpoints"]
        return dict(self.sagemaker.describe_endpoint(EndpointName=f"{GROUP}-{stage}")) if found else None

    def live(self, stage: str) -> int | None:
        """Return the version that a stage serves."""
        about = self.endpoint(stage)
        return int(about["EndpointConfigName"].split("-v")[-1].split("-")[0]) if about else None

    def metadata(self, version: int) -> dict[str, str]:
        about = self.sagemaker.describe_model_package(ModelPackageName=self.arn(version))
        return dict(about["CustomerMetadataProperties"])

    def status(self, version: int, stage: str = "staging") -> str | None:
        return self.metadata(version).get(f"{stage.title()}Status")

    def configs(self) -> list[str]:
        return sorted(one["EndpointConfigName"] for one in self.sagemaker.list_endpoint_configs()["EndpointConfigs"])

    def models(self) -> list[str]:
        return sorted(one["ModelName"] for one in self.sagemaker.list_models()["Models"])

    def answer(self, params: dict[str, Any], **_: Any) -> Any:
        """Answer InvokeEndpoint as the server behind the endpoint would."""
        name = params["url_path"].split("/")[2]
        config = self.sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
        variant = self.sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"][0]
        container = self.sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]
        version = container["Environment"]["MODEL_VERSION"]
        self.asked.append(version)
        answer = good_answer(version)
        if int(version.rpartition("/")[2]) in self.bad:
            answer |= {"predicted_label": "1"}
        return SimpleNamespace(status_code=200), {"Body": Body(json.dumps(answer).encode()), "ContentType": "x"}


@contextmanager
def deployed(session: boto3.Session, endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give an account of moto's with an empty group, whose deployments take until the test ends them."""
    for name, value in {
        "PROJECT": "bincount",
        "MODEL_ROLE_ARN": ROLE,
        "CAPTURE_URI": "s3://artifacts/bincount/capture",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("deploy.smoke._PAUSES", (0.0, 0.0, 0.0, 0.0))
    monkeypatch.setattr("deploy.endpoints._PAUSES", (0.0, 0.0, 0.0, 0.0))
    endpoints.hold = True
    sagemaker: Any = session.client("sagemaker")
    s3: Any = session.client("s3")
    s3.create_bucket(Bucket="artifacts")
    s3.put_object(Bucket="artifacts", Key="smoke.json", Body=json.dumps(SMOKE).encode())
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    world = World(session, endpoints, sagemaker)
    events: Any = session.events
    event = "before-call.sagemaker-runtime.InvokeEndpoint"
    events.register(event, world.answer)
    try:
        yield world
    finally:
        events.unregister(event, world.answer)


class Body:
    """A response's body."""

    def __init__(self, content: bytes) -> None:
        self.content = content

    def read(self, amount: int) -> bytes:
        return self.content[:amount]
