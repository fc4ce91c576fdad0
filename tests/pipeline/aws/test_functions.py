from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.response import StreamingBody
from botocore.stub import ANY, Stubber

from pipeline.aws import functions
from pipeline.aws.functions import call, reconcile
from pipeline.errors import UserError
from pipeline.local import functions as local_functions


def write_function(folder: Path, name: str, body: str) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text("")
    (folder / name / "handler.py").write_text(f"def handler(event, context):\n    {body}\n")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the local account's functions, empty."""
    (tmp_path / "functions").mkdir()
    monkeypatch.setattr(local_functions, "FOLDER", tmp_path / "functions")
    return tmp_path / "functions"


def test_a_function_gets_the_event_and_its_answer_comes_back(session: boto3.Session, folder: Path) -> None:
    write_function(folder, "echo", "return {'got': event}")
    assert call(session, "bincount-echo", {"a": ["ü", 1.5, None]}) == {"got": {"a": ["ü", 1.5, None]}}
    assert call(session, "bincount-echo", "text") == {"got": "text"}


def test_a_function_that_fails_is_one_line(session: boto3.Session, folder: Path) -> None:
    write_function(folder, "broken", "raise KeyError('one\\ntwo' * 1000)")
    with pytest.raises(UserError, match=r"^the function bincount-broken failed: KeyError: ") as caught:
        call(session, "bincount-broken", {})
    assert len(str(caught.value).splitlines()) == 1
    assert len(str(caught.value)) < 700


def test_a_function_that_is_not_there(session: boto3.Session, folder: Path) -> None:
    with pytest.raises(UserError, match="there is no function bincount-nothing"):
        call(session, "bincount-nothing", {})


def test_reconcile_names_the_group_to_the_deploy_function(session: boto3.Session, folder: Path) -> None:
    write_function(folder, "deploy", "return {'staging': event, 'production': {}}")
    asked = {"Action": "reconcile", "ModelPackageGroupName": "bincount-demo"}
    assert reconcile(session, "bincount-demo") == {"staging": asked, "production": {}}


def test_the_predict_function_is_called_by_its_name(session: boto3.Session) -> None:
    assert call(session, functions.PREDICT, {})["statusCode"] == 400


def answered(payload: bytes, **members: Any) -> UserError:
    """Call a function whose answer, as Lambda sends it, is given."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    client = session.client("lambda")
    response = {"StatusCode": 200, "Payload": StreamingBody(io.BytesIO(payload), len(payload)), **members}
    with Stubber(client) as stub:
        stub.add_response("invoke", response, {"FunctionName": "f", "Payload": ANY})
        session.client = lambda *_, **__: client  # type: ignore[method-assign, assignment]
        with pytest.raises(UserError) as caught:
            call(session, "f", {})
    return caught.value


@pytest.mark.parametrize("payload", [b"null", b"[]", b'"text"', b""])
def test_an_answer_that_is_no_object(payload: bytes) -> None:
    assert str(answered(payload)) == "the function f answers with no JSON object"


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (
            {"errorMessage": "2026-11-22T14:05Z 3c9a Task timed out after 60.00 seconds"},
            "2026-11-22T14:05Z 3c9a Task",
        ),
        ({"errorMessage": "no", "errorType": "ValueError", "stackTrace": ["secret"]}, "ValueError: no"),
        ({"errorMessage": "", "errorType": "KeyError"}, "KeyError: its log says why"),
        (None, "its log says why"),
    ],
)
def test_what_lambda_says_of_a_failure(returned: Any, said: str) -> None:
    error = str(answered(json.dumps(returned).encode(), FunctionError="Unhandled"))
    assert error.startswith(f"the function f failed: {said}")
    assert "secret" not in error
