from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pipeline.local import functions
from pipeline.local.home import Home
from pipeline.local.store import Store

if TYPE_CHECKING:
    from tests.pipeline.local.conftest import Toy

NAME = "bincount-deploy"


@pytest.fixture
def lambda_(session: boto3.Session, toy: Toy) -> Any:
    return session.client("lambda")


def call(lambda_: Any, event: object = None, **members: Any) -> tuple[Any, dict[str, Any]]:
    answer = lambda_.invoke(FunctionName=NAME, Payload=json.dumps(event), **members)
    return json.loads(answer["Payload"].read()), answer


@pytest.mark.parametrize(
    "name", [NAME, f"arn:aws:lambda:us-east-1:000000000000:function:{NAME}", f"000000000000:function:{NAME}:$LATEST"]
)
def test_invoke_waits_for_the_answer(lambda_: Any, name: str) -> None:
    answer = lambda_.invoke(FunctionName=name, Payload=b'{"word": "\xc3\xa9"}')
    assert json.loads(answer["Payload"].read()) == {"seen": {"word": "é"}}
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer


@pytest.mark.parametrize("payload", [{}, {"Payload": b""}, {"Payload": "{}"}, {"Payload": io.BytesIO(b"{}")}])
def test_the_payload_may_be_missing_text_or_a_file(lambda_: Any, payload: dict[str, Any]) -> None:
    assert json.load(lambda_.invoke(FunctionName=NAME, **payload)["Payload"]) == {"seen": {}}


@pytest.mark.parametrize(
    ("body", "type", "message"),
    [
        ("raise KeyError('Stage')", "KeyError", "'Stage'"),
        ("raise ValueError('two\\nlines')", "ValueError", "two\nlines"),
        ("return {1, 2}", "Runtime.MarshalError", "Unable to marshal response: Object of type set"),
        ("return float('nan')", "Runtime.MarshalError", "Unable to marshal response"),
        ("return 'x' * 6291600", "Function.ResponseSizeTooLarge", "exceeded maximum allowed payload size"),
        ("raise SystemExit(3)", "Runtime.ExitError", "exit status 3"),
        ("os._exit(0)", "Runtime.ExitError", "exit status 0"),
        ("import nowhere", "ModuleNotFoundError", "No module named 'nowhere'"),
    ],
)
def test_an_error_has_lambdas_shape_and_its_stack_only_in_the_log(
    lambda_: Any, toy: Toy, body: str, type: str, message: str
) -> None:
    toy.write(body)
    error, answer = call(lambda_)
    assert answer["FunctionError"] == "Unhandled"
    assert set(error) == {"errorMessage", "errorType"}
    assert error["errorType"] == type
    assert message in error["errorMessage"]
    assert ("Traceback" in toy.log()) is (type != "Runtime.ExitError")


@pytest.mark.parametrize(
    ("text", "type"),
    [("import nowhere", "Runtime.ImportModuleError"), ("x = 1", "Runtime.HandlerNotFound"), ("def (", "SyntaxError")],
)
def test_a_package_without_a_handler_is_an_error_too(lambda_: Any, toy: Toy, text: str, type: str) -> None:
    (toy.folder / "deploy" / "handler.py").write_text(text)
    assert call(lambda_)[0]["errorType"] == type


def test_a_call_that_takes_too_long_is_ended(lambda_: Any, toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    toy.write("__import__('time').sleep(60)")
    monkeypatch.setattr(functions, "SECONDS", 1.0)
    error, _ = call(lambda_)
    assert error["errorType"] == "Sandbox.Timedout"
    assert error["errorMessage"].endswith("Task timed out after 1.00 seconds")


def test_the_environment_is_lambdas_without_the_users_secrets(
    lambda_: Any, toy: Toy, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    monkeypatch.setenv("GITHUB_TOKEN", "real")
    monkeypatch.setenv("AWS_PROFILE", "real")
    toy.write("return dict(os.environ)")
    seen, _ = call(lambda_)
    assert "real" not in seen.values()
    assert seen["AWS_LAMBDA_FUNCTION_NAME"] == NAME
    assert (seen["AWS_REGION"], seen["AWS_DEFAULT_REGION"]) == ("us-east-1", "us-east-1")
    assert seen["LAMBDA_TASK_ROOT"] == str(toy.folder)
    assert seen["BINCOUNT_HOME"] == str(home.root)
    assert (seen["PROJECT"], seen["CAPTURE_URI"]) == ("bincount", "s3://bincount-local/bincount/capture")
    assert seen["MODEL_ROLE_ARN"].startswith("arn:aws:iam::000000000000:role/")


def test_predict_asks_the_users_endpoint_else_the_newest_in_production_else_in_staging(
    lambda_: Any, toy: Toy, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ENDPOINT_NAME", raising=False)

    def variables() -> dict[str, str]:
        found = lambda_.get_function_configuration(FunctionName="bincount-predict")["Environment"]["Variables"]
        return dict(found)

    toy.write("pass", "predict")
    assert variables() == {"ALLOWED_BUCKETS": "bincount-local"}
    for name in ("a-staging", "b-staging", "other"):
        store.create("endpoint", name, {"EndpointName": name})
    assert variables()["ENDPOINT_NAME"] == "b-staging"
    for name in ("a-production", "b-production", "c-staging"):
        store.create("endpoint", name, {"EndpointName": name})
    assert variables()["ENDPOINT_NAME"] == "b-production"
    monkeypatch.setenv("ENDPOINT_NAME", "mine")
    assert variables()["ENDPOINT_NAME"] == "mine"


def test_the_default_session_of_a_function_is_the_local_account(lambda_: Any, toy: Toy) -> None:
    toy.write("import boto3; return [context.aws_request_id, boto3.client('sts').get_caller_identity()['Account']]")
    request, account = call(lambda_)[0]
    assert account == "000000000000"
    assert f"START RequestId: {request} " in toy.log()


def test_an_event_call_returns_at_once_and_runs_by_itself(lambda_: Any, toy: Toy) -> None:
    answer = lambda_.invoke(FunctionName=NAME, InvocationType="Event", Payload=b'{"n": 1}')
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")
    assert toy.events() == [{"n": 1}]


def test_a_dry_run_calls_nothing(lambda_: Any, toy: Toy) -> None:
    assert lambda_.invoke(FunctionName=NAME, InvocationType="DryRun")["StatusCode"] == 204
    assert toy.events() == []


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"FunctionName": "bincount-nobody"}, "ResourceNotFoundException"),
        ({"Qualifier": "live"}, "ResourceNotFoundException"),
        ({"Payload": b"{"}, "InvalidRequestContentException"),
        ({"Payload": b"\xff"}, "InvalidRequestContentException"),
        ({"Payload": b'"' + b"x" * (6 << 20) + b'"'}, "RequestTooLargeException"),
        ({"Payload": b'"' + b"x" * (1 << 20) + b'"', "InvocationType": "Event"}, "RequestTooLargeException"),
        ({"LogType": "Tail"}, "NotImplemented"),
    ],
)
def test_what_invoke_refuses(lambda_: Any, toy: Toy, members: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as caught:
        lambda_.invoke(**{"FunctionName": NAME, **members})
    assert caught.value.response["Error"]["Code"] == code
    assert toy.events() == []


def test_functions_are_described_and_listed(lambda_: Any, toy: Toy) -> None:
    toy.write("pass", "predict")
    found = lambda_.get_function(FunctionName=NAME)
    about = found["Configuration"]
    assert (about["FunctionName"], about["Handler"], about["Version"]) == (NAME, "deploy.handler.handler", "$LATEST")
    assert about["FunctionArn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{NAME}"
    assert about["Environment"]["Variables"]["PROJECT"] == "bincount"
    assert found["Tags"] == {"project": "bincount"}
    toy.write("return 1")
    assert lambda_.get_function_configuration(FunctionName=NAME)["CodeSha256"] != about["CodeSha256"]
    pages = lambda_.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 1})
    assert [one["FunctionName"] for page in pages for one in page["Functions"]] == [NAME, "bincount-predict"]
    with pytest.raises(ClientError, match="Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody"):
        lambda_.get_function(FunctionName="nobody")


def test_the_functions_of_this_repository_are_found(session: boto3.Session) -> None:
    client: Any = session.client("lambda")
    listed = {one["FunctionName"] for one in client.list_functions()["Functions"]}
    here = {f"bincount-{path.parent.name}" for path in functions.FOLDER.glob("*/handler.py")}
    assert listed == here
    assert functions.FOLDER.name == "lambda"
