from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from pipeline.local.home import Home

ROOT = Path(__file__).parents[4]
ARN = "arn:aws:sagemaker:us-east-1:000000000000:model-package/counts"
MODEL = "s3://bincount-local/models/a/model.tar.gz"
SPECIFICATION = {
    "Containers": [
        {"Image": "000000000000.dkr.ecr.us-east-1.amazonaws.com/bincount-inference:1", "ModelDataUrl": MODEL}
    ],
    "SupportedContentTypes": ["image/jpeg"],
    "SupportedResponseMIMETypes": ["application/json"],
}

Register = Callable[..., str]


@pytest.fixture
def register(sagemaker: Any, s3: Any) -> Register:
    s3.put_object(Bucket="bincount-local", Key="models/a/model.tar.gz", Body=b"weights")
    sagemaker.create_model_package_group(ModelPackageGroupName="counts")

    def one(**members: Any) -> str:
        request = {"ModelPackageGroupName": "counts", "InferenceSpecification": SPECIFICATION, **members}
        arn: str = sagemaker.create_model_package(**request)["ModelPackageArn"]
        return arn

    return one


def test_versions_are_counted_and_pending(sagemaker: Any, register: Register) -> None:
    assert [register(), register()] == [f"{ARN}/1", f"{ARN}/2"]
    found = sagemaker.describe_model_package(ModelPackageName=f"{ARN}/2")
    assert (found["ModelPackageVersion"], found["ModelApprovalStatus"]) == (2, "PendingManualApproval")
    assert found["InferenceSpecification"] == SPECIFICATION
    assert found["ModelPackageStatus"] == "Completed"


_ANOTHER_PROCESS = """
import json, sys
from pathlib import Path
from pipeline.local import aws
from pipeline.local.home import Home
client = aws.session(Home(Path(sys.argv[1]))).client("sagemaker")
request = {"ModelPackageGroupName": "counts", "InferenceSpecification": json.loads(sys.argv[2])}
sys.stdin.readline()
print(json.dumps([client.create_model_package(**request)["ModelPackageArn"] for _ in range(4)]))
"""


def test_processes_at_the_same_time_get_versions_of_their_own(home: Home, register: Register) -> None:
    command = [sys.executable, "-c", _ANOTHER_PROCESS, str(home.root), json.dumps(SPECIFICATION)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    processes = [subprocess.Popen(command, **pipes) for _ in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    arns = [arn for process in processes for arn in json.loads(process.communicate()[0])]
    assert sorted(int(arn.rpartition("/")[2]) for arn in arns) == list(range(1, 13))
    assert register() == f"{ARN}/13"


def test_the_same_client_token_registers_once(register: Register) -> None:
    assert {register(ClientToken="once"), register(ClientToken="once")} == {f"{ARN}/1"}


def test_a_deleted_version_is_not_given_again(sagemaker: Any, register: Register) -> None:
    sagemaker.delete_model_package(ModelPackageName=register())
    assert register() == f"{ARN}/2"
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_model_package(ModelPackageName=f"{ARN}/1")


def test_an_approval_leaves_the_rest_as_it_is(sagemaker: Any, register: Register) -> None:
    metrics = {"ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": "s3://bincount-local/e"}}}
    arn = register(CustomerMetadataProperties={"Report": "s3://bincount-local/r", "Old": "1"}, ModelMetrics=metrics)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved", ApprovalDescription="good")
    sagemaker.update_model_package(
        ModelPackageArn=arn,
        CustomerMetadataProperties={"Smoke": "passed"},
        CustomerMetadataPropertiesToRemove=["Old", "Never"],
    )
    found = sagemaker.describe_model_package(ModelPackageName=arn)
    assert (found["ModelApprovalStatus"], found["ApprovalDescription"]) == ("Approved", "good")
    assert found["CustomerMetadataProperties"] == {"Report": "s3://bincount-local/r", "Smoke": "passed"}
    assert found["ModelMetrics"] == metrics


def test_metadata_has_the_limits_of_the_service(sagemaker: Any, register: Register) -> None:
    arn = register(CustomerMetadataProperties={f"k{n}": "v" for n in range(50)})
    with pytest.raises(ClientError, match="at most 50"):
        sagemaker.update_model_package(ModelPackageArn=arn, CustomerMetadataProperties={"one": "more"})
    with pytest.raises(ClientError, match="regular expression"):
        register(CustomerMetadataProperties={"Json": '{"a": 1}'})


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"ModelPackageGroupName": "other"}, "ModelPackageGroup .*/other does not exist"),
        ({"ModelPackageName": "both"}, "either ModelPackageName or ModelPackageGroupName"),
        ({"Tags": [{"Key": "a", "Value": "b"}]}, "tag its group"),
        (
            {
                "InferenceSpecification": {
                    "Containers": [{"Image": "i", "ModelDataUrl": "s3://bincount-local/no.tar.gz"}]
                }
            },
            "Could not find model data at s3://bincount-local/no.tar.gz",
        ),
    ],
)
def test_what_the_service_refuses_is_refused(register: Register, members: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=message) as caught:
        register(**members)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_lists_are_of_a_group_filtered_and_paged(sagemaker: Any, register: Register) -> None:
    arns = [register(ModelApprovalStatus=status) for status in ("Approved", "Rejected", "Approved")]

    def listed(**request: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_model_packages").paginate(
            ModelPackageGroupName="counts", PaginationConfig={"PageSize": 1}, **request
        )
        return [one["ModelPackageArn"] for page in pages for one in page["ModelPackageSummaryList"]]

    assert listed() == arns
    assert listed(ModelApprovalStatus="Approved", SortOrder="Descending") == [arns[2], arns[0]]
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.list_model_packages(ModelPackageGroupName="other")


def test_an_unversioned_package_goes_by_its_name(sagemaker: Any, register: Register) -> None:
    register()
    sagemaker.create_model_package(ModelPackageName="alone", InferenceSpecification=SPECIFICATION)
    with pytest.raises(sagemaker.exceptions.ConflictException):
        sagemaker.create_model_package(ModelPackageName="alone", InferenceSpecification=SPECIFICATION)
    listed = sagemaker.list_model_packages()["ModelPackageSummaryList"]
    assert [one["ModelPackageName"] for one in listed] == ["alone"]
    assert "ModelPackageVersion" not in sagemaker.describe_model_package(ModelPackageName="alone")


def test_a_second_group_of_the_name_is_refused(sagemaker: Any, register: Register) -> None:
    with pytest.raises(ClientError, match="Model Package Group already exists"):
        sagemaker.create_model_package_group(ModelPackageGroupName="counts")
    sagemaker.create_model_package_group(ModelPackageGroupName="more", ModelPackageGroupDescription="another")
    listed = sagemaker.list_model_package_groups(SortBy="Name", SortOrder="Descending")
    assert [one["ModelPackageGroupName"] for one in listed["ModelPackageGroupSummaryList"]] == ["more", "counts"]
    described = sagemaker.describe_model_package_group(ModelPackageGroupName="more")
    assert described["ModelPackageGroupDescription"] == "another"
