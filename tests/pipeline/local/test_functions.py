from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.local.failures import StepError
from pipeline.local.functions import find_function, typed_output

if TYPE_CHECKING:
    from tests.pipeline.local.conftest import Account, Build

ARN = "arn:aws:lambda:us-east-1:000000000000:function:bincount-deploy"


@pytest.fixture
def functions(tmp_path: Path) -> Path:
    (tmp_path / "lambda" / "deploy").mkdir(parents=True)
    return tmp_path / "lambda"


def step(outputs: dict[str, str], **arguments: Any) -> dict[str, Any]:
    declared = [{"OutputName": name, "OutputType": type} for name, type in outputs.items()]
    return {"Name": "L", "Type": "Lambda", "FunctionArn": ARN, "Arguments": arguments, "OutputParameters": declared}


def test_the_real_handler_gets_the_event_and_the_local_account(account: Account, build: Build, functions: Path) -> None:
    (functions / "deploy" / "sibling.py").write_text("NAME = 'a sibling module'")
    (functions / "deploy" / "handler.py").write_text(
        "import boto3\nfrom deploy.sibling import NAME\n"
        "def handler(event, context):\n"
        "    boto3.client('s3').put_object(Bucket='bucket', Key='k', Body=event['word'].encode())\n"
        "    account = boto3.client('sts').get_caller_identity()['Account']\n"
        "    return {'n': event['n'] + 1, 'share': 0.5, 'ok': True, 'deep': {'a': [1]}, 'name': NAME,\n"
        "            'account': account, 'function': context.function_name,\n"
        "            'left': context.get_remaining_time_in_millis() > 0}\n"
    )
    account.s3.put_bytes("s3://bucket/first", b"")
    outputs = {
        "n": "Integer",
        "share": "Float",
        "ok": "Boolean",
        "deep": "String",
        "name": "String",
        "account": "String",
    }
    call = step(outputs | {"left": "Boolean", "function": "String"}, word={"Get": "Parameters.Word"}, n=1)
    fail = {"Name": "F", "Type": "Fail", "Arguments": {"ErrorMessage": {"Get": "Steps.L.OutputParameters['deep']"}}}
    parameters = [{"Name": "Word", "Type": "String", "DefaultValue": "hello"}]
    arn = account.run(build.pipeline(call, fail, parameters=parameters), functions=functions)
    assert account.execution(arn)["FailureReason"] == 'Step F failed: {"a": [1]}'
    assert account.s3.read_bytes("s3://bucket/k") == b"hello"
    metadata = account.steps(arn)["L"]["Metadata"]["Lambda"]
    assert metadata["Arn"] == ARN
    assert {p["Name"]: p["Value"] for p in metadata["OutputParameters"]} == {
        "n": "2",
        "share": "0.5",
        "ok": "true",
        "deep": '{"a": [1]}',
        "name": "a sibling module",
        "account": "000000000000",
        "left": "true",
        "function": "bincount-deploy",
    }


@pytest.mark.parametrize(
    ("body", "outputs", "message"),
    [
        ("raise ValueError('no endpoint')", {}, "failed: ValueError: no endpoint"),
        ("import time; time.sleep(60)", {}, "Task timed out after 2.00 seconds"),
        ("return {'n': {1}}", {}, "failed: Runtime.MarshalError"),
        ("return {}", {"n": "String"}, "no output n"),
    ],
)
def test_what_goes_wrong_in_a_function_fails_the_step(
    account: Account, build: Build, functions: Path, body: str, outputs: dict[str, str], message: str
) -> None:
    (functions / "deploy" / "handler.py").write_text(f"def handler(event, context):\n    {body}\n")
    seconds = 2.0 if "sleep" in body else 60.0
    arn = account.run(build.pipeline(step(outputs)), functions=functions, function_seconds=seconds)
    assert account.statuses(arn) == {"L": "Failed"}
    reason = account.execution(arn)["FailureReason"]
    assert message in reason
    assert "\n" not in reason
    if " failed: " in message:
        log = account.home.root / "functions" / "bincount-deploy.log"
        assert reason.endswith(f"(its log: {log})")
        assert "Traceback" in log.read_text()


@pytest.mark.parametrize(
    ("answer", "type", "message"),
    [
        ({"n": "1"}, "Integer", "output n is '1', not of type Integer"),
        ({"n": True}, "Integer", "not of type Integer"),
        ({"n": 1.5}, "Integer", "not of type Integer"),
        ({"n": 1}, "Boolean", "not of type Boolean"),
        ({"n": None}, "Float", "not of type Float"),
        ({"n": "x" * 1025}, "String", "more than 1024 characters"),
        ({}, "String", "no output n"),
        (None, "String", "no output n"),
    ],
)
def test_outputs_are_of_their_declared_type(answer: Any, type: str, message: str) -> None:
    with pytest.raises(StepError, match=message):
        typed_output(answer, "n", type)


@pytest.mark.parametrize("name", ["bincount-other", "bincount-../deploy", "bincount-..", "deploy", "bincount-", ""])
def test_a_function_that_is_not_here_is_refused(functions: Path, name: str) -> None:
    (functions / "deploy" / "handler.py").touch()
    (functions / "handler.py").touch()
    assert find_function(f"arn:aws:lambda:us-east-1:000000000000:function:{name}", functions) is None
    found = find_function(ARN, functions)
    assert found is not None
    assert (found.name, found.package, found.arn) == ("bincount-deploy", "deploy", ARN)
