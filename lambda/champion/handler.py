"""Find the champion, the model that a new one has to beat: called by the pipeline's Lambda step before Evaluate.

In: ModelPackageGroupName; ModelDataUrl, the new model's artifact.
Out: ModelDataUrl and Version (`<group>/<n>`) of the champion. Where there is none, the artifact that came in (the input
of a processing job needs something that exists) and `none`.

Needs sagemaker:ListModelPackages and DescribeModelPackage for the group, and s3:GetObject with s3:ListBucket where
artifacts lie: without the latter S3 answers 403, not 404, for what is gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient

# A Lambda step has no retry policy: throttling is waited out here, well within the step's two minutes.
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 8}, connect_timeout=5, read_timeout=10)


def handler(event: Mapping[str, str], context: object) -> dict[str, str]:  # noqa: ARG001
    """Return the latest Approved version whose artifact still exists.

    Raises:
        ValueError: the event lacks one of its members.
        ClientError: AWS refuses a call; the step fails with its words.
    """
    missing = [name for name in ("ModelPackageGroupName", "ModelDataUrl") if not event.get(name)]
    if missing:
        raise ValueError(f"the event lacks {' and '.join(missing)}")
    sagemaker, s3 = boto3.client("sagemaker", config=_CONFIG), boto3.client("s3", config=_CONFIG)
    for arn in _approved(sagemaker, event["ModelPackageGroupName"]):
        package = sagemaker.describe_model_package(ModelPackageName=arn)
        containers = package.get("InferenceSpecification", {}).get("Containers") or [{}]
        url = containers[0].get("ModelDataUrl", "")
        version = f"{package['ModelPackageGroupName']}/{package['ModelPackageVersion']}"
        if _exists(s3, url):
            return {"ModelDataUrl": url, "Version": version}
        print(f"{version} is approved, but its artifact {url or '(none)'} is gone: passed over")
    return {"ModelDataUrl": event["ModelDataUrl"], "Version": "none"}


def _approved(sagemaker: SageMakerClient, group: str) -> Iterator[str]:
    """Yield the ARNs of the group's Approved versions, the latest first; none where there is no such group yet."""
    pages = sagemaker.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group, ModelApprovalStatus="Approved", SortBy="CreationTime", SortOrder="Descending"
    )
    try:
        for page in pages:
            yield from (summary["ModelPackageArn"] for summary in page["ModelPackageSummaryList"])
    except ClientError as error:
        if not _is_missing_group(error):
            raise


def _is_missing_group(error: ClientError) -> bool:
    code, message = error.response["Error"]["Code"], error.response["Error"].get("Message", "")
    return code == "ResourceNotFound" or (code == "ValidationException" and "does not exist" in message)


def _exists(s3: S3Client, url: str) -> bool:
    bucket, _, key = url.removeprefix("s3://").partition("/")
    if not (bucket and key):
        return False
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchKey", "NoSuchBucket"}:
            return False
        raise
    return True
