from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ParamValidationError

from pipeline.local import aws
from pipeline.local.home import Home
from pipeline.local.store import Store


def test_needs_no_credentials_and_reads_no_profile(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home.root / "nowhere"))
    identity = aws.session(home).client("sts").get_caller_identity()
    assert identity["Account"] == "000000000000"


def test_an_operation_that_is_not_there_says_so(session: boto3.Session) -> None:
    client: Any = session.client("sagemaker")
    with pytest.raises(ClientError, match="sagemaker:ListActions is not part of local AWS") as caught:
        client.list_actions()
    assert caught.value.response["Error"]["Code"] == "NotImplemented"


def test_a_service_that_is_not_there_says_so(session: boto3.Session) -> None:
    client: Any = session.client("dynamodb")
    with pytest.raises(ClientError, match="dynamodb:ListTables is not part of local AWS"):
        client.list_tables()


def test_botocore_refuses_a_wrong_request_itself(sagemaker: Any) -> None:
    with pytest.raises(ParamValidationError):
        sagemaker.describe_pipeline(Name="counts")


@pytest.mark.parametrize(
    ("request_", "rule"),
    [
        ({"SortBy": "Age"}, "enum value set"),
        ({"PipelineNamePrefix": "under_score"}, "regular expression"),
        ({"MaxResults": 101}, "less than or equal to 100"),
    ],
)
def test_the_service_refuses_what_botocore_lets_pass(sagemaker: Any, request_: dict[str, Any], rule: str) -> None:
    with pytest.raises(ClientError, match=rule) as caught:
        sagemaker.list_pipelines(**request_)
    assert caught.value.response["Error"]["Code"] == "ValidationException"


def test_errors_are_those_of_the_service_model(sagemaker: Any) -> None:
    with pytest.raises(sagemaker.exceptions.ResourceNotFound):
        sagemaker.describe_pipeline(PipelineName="missing")


def test_an_answer_of_the_wrong_shape_is_our_fault(sagemaker: Any, store: Store, made: str) -> None:
    store.update("pipeline", made, PipelineStatus="Sleeping")
    with pytest.raises(ClientError, match="PipelineStatus") as caught:
        sagemaker.describe_pipeline(PipelineName=made)
    assert caught.value.response["Error"]["Code"] == "InternalFailure"


def test_sessions_of_two_homes_do_not_meet(home: Home, made: str, tmp_path: Any) -> None:
    other = aws.session(Home(tmp_path / "other")).client("sagemaker")
    assert other.list_pipelines()["PipelineSummaries"] == []
    assert [p["PipelineName"] for p in aws.session(home).client("sagemaker").list_pipelines()["PipelineSummaries"]] == [
        made
    ]
