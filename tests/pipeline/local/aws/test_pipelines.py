from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

ROLE = "arn:aws:iam::000000000000:role/bincount-pipeline"
ARN = "arn:aws:sagemaker:us-east-1:000000000000:pipeline/counts"

Definition = Callable[..., str]


def test_a_pipeline_is_described_as_it_was_made(sagemaker: Any, definition: Definition) -> None:
    text = definition()
    made = sagemaker.create_pipeline(PipelineName="counts", PipelineDefinition=text, RoleArn=ROLE)
    assert made["PipelineArn"] == ARN
    for name in ("counts", ARN):
        found = sagemaker.describe_pipeline(PipelineName=name)
        assert (found["PipelineDefinition"], found["RoleArn"], found["PipelineStatus"]) == (text, ROLE, "Active")


def test_a_second_pipeline_of_the_name_is_refused_but_not_a_repeated_call(
    sagemaker: Any, definition: Definition
) -> None:
    request = {"PipelineName": "counts", "PipelineDefinition": definition(), "RoleArn": ROLE}
    sagemaker.create_pipeline(**request, ClientRequestToken="a" * 32)
    assert sagemaker.create_pipeline(**request, ClientRequestToken="a" * 32)["PipelineArn"] == ARN
    with pytest.raises(ClientError, match="Pipeline names must be unique within an AWS account and region"):
        sagemaker.create_pipeline(**request, ClientRequestToken="b" * 32)


@pytest.mark.parametrize("verb", ["create_pipeline", "update_pipeline"])
def test_a_faulty_definition_is_refused_with_its_path(sagemaker: Any, made: str, verb: str) -> None:
    request: dict[str, Any] = {"PipelineName": made if verb == "update_pipeline" else "other", "RoleArn": ROLE}
    text = '{"Version": "2020-12-01", "Steps": [{"Name": "A", "Type": "Dance", "Arguments": {}}]}'
    with pytest.raises(ClientError, match=r"Unable to parse pipeline definition.*Steps\[0\]"):
        getattr(sagemaker, verb)(**request, PipelineDefinition=text)


def test_an_update_changes_what_it_names(sagemaker: Any, made: str, definition: Definition) -> None:
    text = definition(message="later")
    assert sagemaker.update_pipeline(PipelineName=made, PipelineDefinition=text)["PipelineVersionId"] == 2
    found = sagemaker.describe_pipeline(PipelineName=made)
    assert (found["PipelineDefinition"], found["RoleArn"]) == (text, ROLE)
    assert found["LastModifiedTime"] > found["CreationTime"]
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.update_pipeline(PipelineName="other", PipelineDefinition=text)


def test_a_large_definition_comes_from_s3(sagemaker: Any, s3: Any, definition: Definition) -> None:
    s3.put_object(Bucket="bincount-local", Key="definitions/a.json", Body=definition())
    where = {"Bucket": "bincount-local", "ObjectKey": "definitions/a.json"}
    sagemaker.create_pipeline(PipelineName="counts", PipelineDefinitionS3Location=where, RoleArn=ROLE)
    assert sagemaker.describe_pipeline(PipelineName="counts")["PipelineDefinition"] == definition()
    missing = {**where, "ObjectKey": "missing.json"}
    with pytest.raises(ClientError, match="Cannot read the pipeline definition"):
        sagemaker.create_pipeline(PipelineName="other", PipelineDefinitionS3Location=missing, RoleArn=ROLE)


def test_lists_are_paged_sorted_and_filtered(sagemaker: Any, definition: Definition) -> None:
    names = ["b", "a", "d", "c"]
    for name in names:
        sagemaker.create_pipeline(PipelineName=name, PipelineDefinition=definition(), RoleArn=ROLE)

    def listed(**request: Any) -> list[str]:
        pages = sagemaker.get_paginator("list_pipelines").paginate(PaginationConfig={"PageSize": 3}, **request)
        return [summary["PipelineName"] for page in pages for summary in page["PipelineSummaries"]]

    assert listed() == names[::-1]
    assert listed(SortOrder="Ascending") == names
    assert listed(SortBy="Name", SortOrder="Ascending") == ["a", "b", "c", "d"]
    assert listed(PipelineNamePrefix="d") == ["d"]
    with pytest.raises(ClientError, match="Invalid NextToken"):
        sagemaker.list_pipelines(NextToken="?")


def test_deleting_takes_the_executions_along(sagemaker: Any, made: str, store: Any) -> None:
    arn = sagemaker.start_pipeline_execution(PipelineName=made)["PipelineExecutionArn"]
    store.create("step", f"{arn}/End", {"StepName": "End", "StepStatus": "Executing"}, parent=arn)
    with pytest.raises(sagemaker.exceptions.ConflictException):
        sagemaker.delete_pipeline(PipelineName=made)
    store.update("execution", arn, PipelineExecutionStatus="Failed")
    sagemaker.delete_pipeline(PipelineName=made)
    assert store.find("execution") == store.find("step") == []


def test_tags_are_merged_by_key(sagemaker: Any, definition: Definition) -> None:
    request = {"PipelineName": "counts", "PipelineDefinition": definition(), "RoleArn": ROLE}
    sagemaker.create_pipeline(**request, Tags=[{"Key": "project", "Value": "old"}, {"Key": "team", "Value": "x"}])
    sagemaker.add_tags(ResourceArn=ARN, Tags=[{"Key": "project", "Value": "new"}])
    tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=ARN)["Tags"]}
    assert tags == {"project": "new", "team": "x"}
    with pytest.raises(ClientError, match="Could not find resource"):
        sagemaker.list_tags(ResourceArn=ARN + "x")
