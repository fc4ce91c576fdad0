from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError

from deploy import smoke
from deploy.environment import Environment
from deploy.packages import Package
from tests.deployments import SMOKE, good_answer

if TYPE_CHECKING:
    import boto3

URI = "s3://artifacts/smoke.json"


class Server:
    """A runtime client that answers what it is told to, one after the other."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[dict[str, Any]] = []

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return {"Body": SimpleNamespace(read=lambda _: json.dumps(answer).encode())}


def error(code: str, message: str = "said", **members: Any) -> ClientError:
    response: Any = {"Error": {"Code": code, "Message": message}, **members}
    return ClientError(response, "InvokeEndpoint")


class Runner:
    """Runs the smoke test of a version whose smoke.json is in moto's S3."""

    def __init__(self, session: boto3.Session) -> None:
        self.s3: Any = session.client("s3")
        self.s3.create_bucket(Bucket="artifacts")
        self.put(json.dumps(SMOKE).encode())
        self.slept: list[float] = []

    def put(self, content: bytes) -> None:
        self.s3.put_object(Bucket="artifacts", Key="smoke.json", Body=content)

    def run(self, server: Server, uri: str = URI) -> smoke.Outcome:
        environment = Environment("bincount", "role", "s3://capture")
        environment.__dict__["runtime"] = server
        package = Package("bincount-demo", 1, "arn", metadata={"SmokeTest": uri})
        return smoke.run(environment, "bincount-demo-staging", package, self.slept.append)


@pytest.fixture
def runner(moto_session: boto3.Session) -> Runner:
    return Runner(moto_session)


RIGHT = good_answer("bincount-demo/1")


def test_the_photo_is_sent_and_the_answer_compared(runner: Runner) -> None:
    server = Server(RIGHT)
    assert runner.run(server) == smoke.Outcome(passed=True, reason="answered 3 like the evaluation")
    assert server.requests == [
        {
            "EndpointName": "bincount-demo-staging",
            "Body": b"photo",
            "ContentType": "image/jpeg",
            "Accept": "application/json",
        }
    ]
    wrong = runner.run(Server(RIGHT | {"model_version": "bincount-demo/0"}))
    assert not wrong.passed
    assert "bincount-demo/0 answered instead" in wrong.reason


@pytest.mark.parametrize(
    "passing",
    [
        error("ModelNotReadyException"),
        error("ServiceUnavailable"),
        error("ThrottlingException"),
        error("ModelError", OriginalStatusCode=503),
        error("ModelError"),
        EndpointConnectionError(endpoint_url="http://x"),
        ReadTimeoutError(endpoint_url="http://x"),
        ConnectTimeoutError(endpoint_url="http://x"),
    ],
)
def test_a_server_just_started_is_asked_again(runner: Runner, passing: Exception) -> None:
    assert runner.run(Server(passing, passing, RIGHT)).passed
    assert runner.slept == [0.0, 1.0, 2.0]
    given_up = runner.run(Server(passing))
    assert (given_up.passed, given_up.ran) == (False, True)
    assert given_up.reason.startswith("no answer in 5 tries: ")


@pytest.mark.parametrize(
    "final", [error("ModelError", "not a picture", OriginalStatusCode=415), error("ValidationError")]
)
def test_a_refusal_is_final(runner: Runner, final: Exception) -> None:
    server = Server(final)
    assert not runner.run(server).passed
    assert len(server.requests) == 1


@pytest.mark.parametrize("uri", ["", "file:///etc/passwd", "s3://artifacts", "s3://artifacts/none.json", "s3://none/x"])
def test_without_a_photo_nothing_is_learnt(runner: Runner, uri: str) -> None:
    outcome = runner.run(Server(RIGHT), uri)
    assert (outcome.passed, outcome.ran) == (False, False)
    assert outcome.reason.startswith("no smoke test: ")


def test_a_photo_has_a_limit_and_a_form(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    runner.put(b"[]")
    assert not runner.run(Server(RIGHT)).ran
    monkeypatch.setattr(smoke, "_LARGEST", 10)
    runner.put(b"x" * 11)
    assert "is larger than" in runner.run(Server(RIGHT)).reason


def test_a_passing_trouble_of_s3_is_no_verdict(runner: Runner) -> None:
    environment = Environment("bincount", "role", "s3://capture")

    def get_object(**_: Any) -> Any:
        raise error("SlowDown")

    environment.__dict__["s3"] = SimpleNamespace(get_object=get_object)
    package = Package("bincount-demo", 1, "arn", metadata={"SmokeTest": URI})
    with pytest.raises(ClientError):
        smoke.run(environment, "bincount-demo-staging", package, runner.slept.append)
