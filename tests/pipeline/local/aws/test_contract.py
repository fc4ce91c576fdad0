"""The same calls to local AWS and to moto, where moto is right: what clients see must be the same.

moto is known to be wrong in updates of model packages, in duplicates and in definitions: those are not compared.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from pipeline.local import aws
from pipeline.local.home import Home

ROLE = "arn:aws:iam::000000000000:role/bincount-pipeline"
DEFINITION = json.dumps(
    {
        "Version": "2020-12-01",
        "Metadata": {},
        "Parameters": [{"Name": "Epochs", "Type": "Integer", "DefaultValue": 1}],
        "Steps": [{"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}}],
    }
)

Client = Callable[[str], Any]


@pytest.fixture(params=["local", "moto"])
def client(request: pytest.FixtureRequest, home: Home) -> Iterator[Client]:
    """Return a function that makes clients of local AWS, and in a second run of moto."""
    if request.param == "local":
        session: Any = aws.session(home, lambda _home, _arn: 1)
        yield session.client
        return
    with mock_aws(config={"core": {"reset_boto3_session": False}}):
        _moto_client("s3").create_bucket(Bucket="bincount-local")
        yield _moto_client


@cache
def _moto_client(service: str) -> Any:
    # Kept over the tests: it takes longer to make one than to call it.
    session: Any = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    return session.client(service)


def _without(answer: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name not in {"ResponseMetadata", *names}}


def _code(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def test_pipelines(client: Client) -> None:
    sagemaker = client("sagemaker")
    made = sagemaker.create_pipeline(PipelineName="counts", PipelineDefinition=DEFINITION, RoleArn=ROLE)
    assert made["PipelineArn"].endswith(":pipeline/counts")
    found = sagemaker.describe_pipeline(PipelineName="counts")
    kept = {"PipelineName": "counts", "PipelineArn": made["PipelineArn"], "RoleArn": ROLE}
    assert kept.items() <= found.items()
    assert json.loads(found["PipelineDefinition"]) == json.loads(DEFINITION)
    assert found["CreationTime"].tzinfo is not None
    summary = sagemaker.list_pipelines(PipelineNamePrefix="cou")["PipelineSummaries"][0]
    assert kept.items() <= summary.items()
    assert sagemaker.delete_pipeline(PipelineName="counts")["PipelineArn"] == made["PipelineArn"]
    assert sagemaker.list_pipelines()["PipelineSummaries"] == []


def test_executions(client: Client) -> None:
    sagemaker = client("sagemaker")
    sagemaker.create_pipeline(PipelineName="counts", PipelineDefinition=DEFINITION, RoleArn=ROLE)
    arn = sagemaker.start_pipeline_execution(
        PipelineName="counts",
        PipelineExecutionDisplayName="first",
        PipelineParameters=[{"Name": "Epochs", "Value": "2"}],
    )["PipelineExecutionArn"]
    assert ":pipeline/counts/execution/" in arn
    found = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    assert found["PipelineExecutionArn"] == arn
    assert found["PipelineExecutionDisplayName"] == "first"
    assert found["PipelineArn"].endswith(":pipeline/counts")
    kept = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    assert json.loads(kept["PipelineDefinition"]) == json.loads(DEFINITION)
    given = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)["PipelineParameters"]
    assert given == [{"Name": "Epochs", "Value": "2"}]
    listed = sagemaker.list_pipeline_executions(PipelineName="counts")["PipelineExecutionSummaries"]
    assert [one["PipelineExecutionArn"] for one in listed] == [arn]


def test_model_packages(client: Client) -> None:
    sagemaker = client("sagemaker")
    client("s3").put_object(Bucket="bincount-local", Key="model.tar.gz", Body=b"weights")
    group = sagemaker.create_model_package_group(ModelPackageGroupName="counts", ModelPackageGroupDescription="bins")
    assert group["ModelPackageGroupArn"].endswith(":model-package-group/counts")
    specification = {
        "Containers": [{"Image": "image", "ModelDataUrl": "s3://bincount-local/model.tar.gz"}],
        "SupportedContentTypes": ["image/jpeg"],
        "SupportedResponseMIMETypes": ["application/json"],
    }
    request = {
        "ModelPackageGroupName": "counts",
        "ModelPackageDescription": "counts items",
        "InferenceSpecification": specification,
        "ModelApprovalStatus": "PendingManualApproval",
        "MetadataProperties": {"CommitId": "abc"},
        "CustomerMetadataProperties": {"Profile": "demo"},
    }
    arns = [sagemaker.create_model_package(**request)["ModelPackageArn"] for _ in range(3)]
    assert [arn.partition(":model-package/")[2] for arn in arns] == ["counts/1", "counts/2", "counts/3"]
    found = sagemaker.describe_model_package(ModelPackageName=arns[1])
    assert {**request, "ModelPackageVersion": 2, "ModelPackageArn": arns[1]}.items() <= found.items()
    first = sagemaker.list_model_packages(ModelPackageGroupName="counts", SortOrder="Descending", MaxResults=2)
    rest = sagemaker.list_model_packages(
        ModelPackageGroupName="counts", SortOrder="Descending", MaxResults=2, NextToken=first["NextToken"]
    )
    summaries = first["ModelPackageSummaryList"] + rest["ModelPackageSummaryList"]
    assert [one["ModelPackageVersion"] for one in summaries] == [3, 2, 1]
    about = sagemaker.describe_model_package_group(ModelPackageGroupName="counts")
    assert about["ModelPackageGroupDescription"] == "bins"


def test_errors(client: Client) -> None:
    sagemaker, s3 = client("sagemaker"), client("s3")
    group = "ModelPackageGroupName"
    assert _code(lambda: sagemaker.describe_model_package_group(**{group: "no"})) == "ValidationException"
    arn = "arn:aws:sagemaker:us-east-1:000000000000:model-package/no/1"
    assert _code(lambda: sagemaker.describe_model_package(ModelPackageName=arn)) == "ValidationException"
    assert _code(lambda: sagemaker.describe_training_job(TrainingJobName="no")) == "ValidationException"
    assert _code(lambda: s3.get_object(Bucket="bincount-local", Key="no")) == "NoSuchKey"
    assert _code(lambda: s3.head_object(Bucket="bincount-local", Key="no")) == "404"
    assert _code(lambda: s3.list_objects_v2(Bucket="no-such-bucket")) == "NoSuchBucket"
    assert _code(lambda: s3.head_bucket(Bucket="no-such-bucket")) == "404"


def test_objects(client: Client) -> None:
    s3 = client("s3")
    bucket = "bincount-local"
    assert s3.head_bucket(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 200
    for key in ("a/1", "a/2", "a/b/3", "a-b", "ü x/&?%2F"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    got = s3.get_object(Bucket=bucket, Key="ü x/&?%2F", Range="bytes=1-4")
    assert got["Body"].read() == "ü x/&?%2F".encode()[1:5]
    assert got["ContentLength"] == 4
    assert got["ContentRange"] == f"bytes 1-4/{len('ü x/&?%2F'.encode())}"
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "a/1"})
    assert s3.head_object(Bucket=bucket, Key="copy")["ETag"] == copied["CopyObjectResult"]["ETag"]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "copy"}, {"Key": "never"}]})
    assert {one["Key"] for one in answer["Deleted"]} == {"copy", "never"}


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"Prefix": "a"},
        {"Prefix": "a/"},
        {"Delimiter": "/"},
        {"Prefix": "a/", "Delimiter": "/"},
        {"StartAfter": "a/2"},
        {"Prefix": "nothing"},
        {"Delimiter": "b"},
    ],
)
def test_lists_of_objects(client: Client, request_: dict[str, str]) -> None:
    s3 = client("s3")
    names = ["a/1", "a/2", "a/b/3", "a/b/4", "a-b", "b", "c d/ü&?", "c d/z", "ä"]
    for name in names:
        s3.put_object(Bucket="bincount-local", Key=name, Body=b"12")
    prefix, delimiter = request_.get("Prefix", ""), request_.get("Delimiter", "")
    wanted: dict[str, None] = {}
    for name in sorted(names, key=str.encode):
        if name.startswith(prefix) and name > request_.get("StartAfter", ""):
            end = name.find(delimiter, len(prefix)) if delimiter else -1
            wanted[name if end < 0 else name[: end + len(delimiter)]] = None
    for size in (1, 2, 1000):
        pages = list(
            s3.get_paginator("list_objects_v2").paginate(
                Bucket="bincount-local", PaginationConfig={"PageSize": size}, **request_
            )
        )
        entries = [[*page.get("CommonPrefixes", []), *page.get("Contents", [])] for page in pages]
        found = [entry.get("Key", entry.get("Prefix")) for page in entries for entry in page]
        assert sorted(found, key=str.encode) == list(wanted)
        assert all(len(page) <= size for page in entries)
        assert [page["KeyCount"] for page in pages] == [len(page) for page in entries]
        assert [page["IsTruncated"] for page in pages] == [True] * (len(pages) - 1) + [False]


def test_tags(client: Client) -> None:
    sagemaker = client("sagemaker")
    arn = sagemaker.create_pipeline(PipelineName="counts", PipelineDefinition=DEFINITION, RoleArn=ROLE)["PipelineArn"]
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "project", "Value": "bincount"}])
    assert _without(sagemaker.list_tags(ResourceArn=arn)) == {"Tags": [{"Key": "project", "Value": "bincount"}]}


def test_identity(client: Client) -> None:
    assert set(_without(client("sts").get_caller_identity())) == {"UserId", "Account", "Arn"}
