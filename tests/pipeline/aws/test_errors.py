from __future__ import annotations

import boto3
import botocore.session
import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from pipeline.aws import executions
from pipeline.aws.errors import aws_errors, is_missing, is_throttling
from pipeline.errors import UserError


def _error(code: str, message: str = "a\nmessage") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "StartPipelineExecution")


@pytest.mark.parametrize(
    ("raised", "line"),
    [
        (exceptions.NoCredentialsError(), "there are no AWS credentials: run `aws configure`"),
        (
            exceptions.TokenRetrievalError(provider="sso", error_msg="expired"),
            "have expired or cannot be read: sign in",
        ),
        (exceptions.UnauthorizedSSOTokenError(), "have expired or cannot be read: sign in"),
        (exceptions.NoRegionError(), "no AWS region is set: set AWS_DEFAULT_REGION"),
        (exceptions.ProfileNotFound(profile="x"), "the AWS profile that AWS_PROFILE names does not exist"),
        (exceptions.EndpointConnectionError(endpoint_url="https://x"), "AWS cannot be reached"),
        (exceptions.ReadTimeoutError(endpoint_url="https://x"), "AWS cannot be reached"),
        (exceptions.DataNotFoundError(data_path="x"), "AWS SDK: Unable to load data for: x"),
        (_error("ExpiredTokenException"), r"does not accept the credentials \(ExpiredTokenException\): sign in"),
        (_error("AccessDeniedException"), r"AWS denies StartPipelineExecution: .*permission \(a message\)"),
        (
            _error("ResourceLimitExceeded"),
            "AWS refuses StartPipelineExecution: ask for more of this quota",
        ),
        (_error("LimitExceededException"), "an AWS quota is used up: a message - ask for more under Service Quotas"),
        (_error("ThrottlingException"), "AWS throttles StartPipelineExecution: wait a minute"),
        (_error("ValidationException"), "^a message$"),
        (_error("ResourceNotFound"), "^a message$"),
        (_error("InternalFailure"), "^StartPipelineExecution failed with InternalFailure: a message$"),
        (_error("Strange", "x" * 5000), r"x\.\.\.$"),
    ],
)
def test_every_error_is_one_line_that_says_what_to_do(raised: Exception, line: str) -> None:
    with pytest.raises(UserError, match=line) as caught, aws_errors():
        raise raised
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) <= 600
    assert caught.value.__cause__ is raised


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), aws_errors():
        raise ZeroDivisionError


def test_a_session_without_region_or_credentials_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    session = boto3.Session(botocore_session=botocore.session.Session())
    with pytest.raises(UserError, match="no AWS region is set"):
        executions.stop(session, "arn")
    session = boto3.Session(botocore_session=botocore.session.Session(), region_name="us-east-1")
    with pytest.raises(UserError, match="there are no AWS credentials"):
        executions.stop(session, "arn")


def test_what_is_missing_and_what_is_throttled() -> None:
    assert is_missing(_error("ResourceNotFound"))
    assert is_missing(_error("ValidationException", "ModelPackageGroup x does not exist."))
    assert not is_missing(_error("ValidationException", "1 validation error"))
    assert is_throttling(_error("ThrottlingException"))
    assert not is_throttling(_error("ValidationException"))
