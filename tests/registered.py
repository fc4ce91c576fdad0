"""Versions in a registry, made as the pipeline's Register step makes them."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.exceptions import ClientError

HYPERPARAMETERS = {"learning_rate": 0.002, "epochs": 6}
CARD = {"intended_uses": {"purpose_of_model": "Counts items.", "risk_rating": "Unknown"}}


def score(value: float, deviation: float = 0.05) -> dict[str, Any]:
    reach = 2 * deviation
    return {
        "value": value,
        "standard_deviation": deviation,
        "confidence_interval": {"level": 0.95, "lower": value - reach, "upper": value + reach},
    }


def evaluation(macro_f1: float, digest: str, data: str = "p-a-short96", **members: Any) -> dict[str, Any]:
    """Return an evaluation.json; `members` come on top."""
    return {
        "dataset": {"item_count": 118},
        "multiclass_classification_metrics": {
            "macro_f1": score(macro_f1),
            "accuracy": score(macro_f1 + 0.01),
            "mae": score(0.4),
        },
        "per_class": {"1": {"precision": 0.5, "recall": 0.75, "f1": 0.6, "photos": 31, "predicted": 33}},
        "majority_class": {"label": "3", "macro_f1": 0.07},
        "champion": {"present": False, "improvement": {"value": 1.0}},
        "model": {
            "sha256": digest,
            "provenance": {"data": data, "job": "train-1", "hyperparameters": json.dumps(HYPERPARAMETERS)},
        },
        **members,
    }


def beside(champion: dict[str, Any], gain: float) -> dict[str, Any]:
    """Return the champion's part of an evaluation that improved on it by `gain`, on that evaluation's own photos."""
    figures = champion["multiclass_classification_metrics"]
    scores = {name: figures[name] for name in ("macro_f1", "accuracy", "mae")}
    return {"present": True, "improvement": score(gain, 0.01), "model": champion["model"], **scores}


@dataclass
class Registry:
    """A group in an account."""

    session: boto3.Session
    group: str = "counts"
    bucket: str = "bincount-models"
    evaluations: dict[int, dict[str, Any]] = field(default_factory=dict)

    @property
    def client(self) -> Any:
        return self.session.client("sagemaker")

    def register(self, scored: dict[str, Any], approval: str = "PendingManualApproval", **metadata: str) -> int:
        """Add a version and return its number."""
        s3: Any = self.session.client("s3")
        with contextlib.suppress(ClientError):
            s3.create_bucket(Bucket=self.bucket)
        with contextlib.suppress(ClientError):
            self.client.create_model_package_group(ModelPackageGroupName=self.group)
        key = f"{self.group}/{len(self.evaluations)}"
        s3.put_object(Bucket=self.bucket, Key=f"{key}/evaluation.json", Body=json.dumps(scored).encode())
        s3.put_object(Bucket=self.bucket, Key=f"{key}/model.tar.gz", Body=b"weights")
        where = f"s3://{self.bucket}/{key}"
        made = self.client.create_model_package(
            ModelPackageGroupName=self.group,
            ModelApprovalStatus=approval,
            InferenceSpecification={
                "Containers": [{"Image": "image:1", "ModelDataUrl": f"{where}/model.tar.gz"}],
                "SupportedContentTypes": ["image/jpeg"],
                "SupportedResponseMIMETypes": ["application/json"],
            },
            ModelMetrics={
                "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": f"{where}/evaluation.json"}}
            },
            MetadataProperties={"CommitId": "abc123", "GeneratedBy": "arn:x/execution/m08kb4bksw24"},
            CustomerMetadataProperties={"Profile": "demo", "Report": f"{where}/report.html", **metadata},
            ModelCard={"ModelCardContent": json.dumps(CARD), "ModelCardStatus": "Draft"},
        )["ModelPackageArn"]
        number = int(str(made).rpartition("/")[2])
        self.evaluations[number] = scored
        return number

    def arn(self, number: int) -> str:
        found = self.client.list_model_packages(ModelPackageGroupName=self.group)["ModelPackageSummaryList"]
        return str(next(one["ModelPackageArn"] for one in found if one["ModelPackageVersion"] == number))

    def describe(self, number: int) -> dict[str, Any]:
        return dict(self.client.describe_model_package(ModelPackageName=self.arn(number)))

    def metadata(self, number: int) -> dict[str, str]:
        return dict(self.describe(number).get("CustomerMetadataProperties") or {})

    def say(self, number: int, **metadata: str) -> None:
        """Write metadata, as the deploy function does."""
        self.client.update_model_package(ModelPackageArn=self.arn(number), CustomerMetadataProperties=metadata)
