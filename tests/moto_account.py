"""An AWS account on loopback for commands that are processes: moto's server, with what moto does not do.

A function runs the code that it was given, in a process, with the variables that the stack gave it. A decision on a
version and a change of an endpoint are events, which go where the stack's rules say. An endpoint answers as a server of
its model would.
"""

from __future__ import annotations

import io
import json
import os
import queue
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.awslambda.models import LambdaFunction
from moto.moto_api._internal import moto_api_backend
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import sagemaker_backends
from moto.sagemaker.responses import SageMakerResponse
from moto.sagemakerruntime.responses import SageMakerRuntimeResponse
from moto.server import ThreadedMotoServer

from pipeline.local.aws.event_patterns import compile_pattern
from tests.deployments import good_answer
from tests.extended_moto import ACCOUNT, REGION, Endpoints, extend
from tests.iam_calls import RECORDING, ROOT

EVENTS = ROOT / "tests" / "events" / "deploy"
# What Lambda's runtime does: the context has what our handlers ask it for, the answer is the last line.
_RUNTIME = """
import importlib, json, sys, types
module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)
answer = handler(json.load(sys.stdin), types.SimpleNamespace(invoked_function_arn=sys.argv[2]))
print("\\n" + json.dumps(answer))
"""


class Bus:
    """EventBridge's default bus: delivers, one after the other, what SageMaker would say."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._events: queue.Queue[dict[str, Any]] = queue.Queue()
        self.delivered: list[tuple[str, dict[str, Any]]] = []
        """Rules, and what the function that they name answered."""
        threading.Thread(target=self._deliver, daemon=True).start()

    def send(self, shape: str, **detail: object) -> None:
        event = json.loads((EVENTS / f"{shape}.json").read_text(encoding="utf-8"))
        self._events.put({**event, "detail": {**event["detail"], **detail}})

    def settle(self) -> None:
        """Wait until everything that was sent has arrived, and what followed from it too."""
        self._events.join()

    def _deliver(self) -> None:
        while True:
            event = self._events.get()
            try:
                self._apply_rules(event)
            except Exception as error:  # a thread's would be lost: the test sees it in `delivered`
                self.delivered.append(("none", {"error": repr(error)}))
            finally:
                self._events.task_done()

    def _apply_rules(self, event: dict[str, Any]) -> None:
        events = self._account.client("events")
        for rule in events.list_rules()["Rules"]:
            if not compile_pattern(rule["EventPattern"])(event):
                continue
            for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]:
                if ":function:" in target["Arn"]:
                    answer = self._account.invoke(target["Arn"].rpartition(":")[2], event)
                    self.delivered.append((rule["Name"], answer))


@dataclass
class Account:
    """The account, a folder in which commands are typed, and a way to look into it."""

    folder: Path
    refusals: dict[str, str] = field(default_factory=dict)
    """By operation of SageMaker's, as `create_pipeline`: what its next call is refused with."""

    def __post_init__(self) -> None:
        self.session = boto3.Session()
        self.bus = Bus(self)

    def bincount(self, *words: object, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        """Type a command; it must end with this exit code. `variables` replace those of the environment."""
        ended = subprocess.run(
            [sys.executable, "-m", "pipeline.cli.main", *map(str, words)],
            cwd=self.folder,
            env={
                **os.environ,
                "BINCOUNT_HOME": str(self.folder / "home"),
                "PYTHONPATH": os.pathsep.join([str(RECORDING), str(ROOT)]),
                **variables,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == code, (words, ended.stdout, ended.stderr)
        return ended

    def on_aws(self, *words: object, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
        """Type a command with `--target aws`."""
        return self.bincount(*words, "--target", "aws", code=code, **variables)

    def client(self, service: str) -> Any:
        return self.session.client(service)  # type: ignore[call-overload]

    def invoke(self, function: str, event: object) -> dict[str, Any]:
        """Call a function, as a step or a rule does."""
        answer = self.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        payload: dict[str, Any] = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload


@contextmanager
def serving(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """Give an empty account, until the end of the block."""
    extend(monkeypatch)
    _empty()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    _configure(f"http://{host}:{port}", folder, monkeypatch)
    account = Account(folder)
    _run_functions(account, monkeypatch)
    _send_events(account.bus, monkeypatch)
    _answer(monkeypatch)
    _refuse(account.refusals, monkeypatch)
    try:
        yield account
    finally:
        account.bus.settle()
        _empty()
        server.stop()


def _configure(url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every SDK of this process and its children call the server, with keys of nobody's."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(folder / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def _empty() -> None:
    """Forget all accounts: the server's state is moto's own, which other tests of this process use too."""
    moto_api_backend.reset()


def _run_functions(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    one_at_a_time = threading.Lock()
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}

    def run(self: Any, event: Any = None) -> tuple[str, bool, str]:
        with one_at_a_time:
            code = account.folder / "functions" / self.function_name / self.code_sha_256.replace("/", "_")
            if not code.is_dir():
                zipfile.ZipFile(io.BytesIO(self.code_bytes)).extractall(code)
            ended = subprocess.run(
                [sys.executable, "-c", _RUNTIME, self.handler, self.function_arn],
                env={**aws, **self.environment_vars, "PYTHONPATH": str(code)},
                input=json.dumps(event),
                capture_output=True,
                text=True,
                check=False,
            )
        if ended.returncode:
            kind, _, message = ended.stderr.splitlines()[-1].partition(": ")
            return json.dumps({"errorType": kind.rpartition(".")[2], "errorMessage": message}), True, ended.stdout
        return ended.stdout.splitlines()[-1], False, ended.stdout

    monkeypatch.setattr(LambdaFunction, "_invoke_lambda", run)


def _send_events(bus: Bus, monkeypatch: pytest.MonkeyPatch) -> None:
    decide = SageMakerResponse.update_model_package
    created, finish, remove = Endpoints.created, Endpoints.finish, Endpoints._remove

    def update_model_package(self: Any) -> Any:
        answer = decide(self)
        if status := self._get_param("ModelApprovalStatus"):
            group, number = self._get_param("ModelPackageArn").rsplit("/", 2)[1:]
            names = {"ModelPackageGroupName": group, "ModelPackageVersion": int(number)}
            arn = self._get_param("ModelPackageArn")
            bus.send("package_approved", **names, ModelPackageArn=arn, ModelApprovalStatus=status)
            bus.settle()  # who approves and waits finds it done at the first look
        return answer

    def was_created(self: Endpoints, backend: Any, endpoint: Any) -> None:
        created(self, backend, endpoint)
        bus.send("endpoint_in_service", EndpointName=endpoint.endpoint_name)

    def was_finished(self: Endpoints, name: str) -> None:
        finish(self, name)
        bus.send("endpoint_in_service", EndpointName=name)

    def was_removed(self: Endpoints, name: str) -> None:
        remove(self, name)
        bus.send("endpoint_deleted", EndpointName=name)

    monkeypatch.setattr(SageMakerResponse, "update_model_package", update_model_package)
    monkeypatch.setattr(Endpoints, "created", was_created)
    monkeypatch.setattr(Endpoints, "finish", was_finished)
    monkeypatch.setattr(Endpoints, "_remove", was_removed)


def _answer(monkeypatch: pytest.MonkeyPatch) -> None:
    read = SageMakerRuntimeResponse.setup_class

    def setup_class(self: Any, request: Any, full_url: str, headers: Any) -> None:
        read(self, request, full_url, headers, use_raw_body=True)  # a photo is no text

    def invoke_endpoint(self: Any) -> tuple[int, dict[str, str], str]:
        sagemaker = sagemaker_backends[ACCOUNT][REGION]
        endpoint = sagemaker.endpoints[self.path.split("/")[2]]
        config = sagemaker.endpoint_configs[endpoint.endpoint_config_name]
        model = sagemaker._models[config.production_variants[0]["ModelName"]]
        answer = good_answer(model.primary_container["Environment"]["MODEL_VERSION"])
        return 200, {"Content-Type": "application/json"}, json.dumps(answer)

    monkeypatch.setattr(SageMakerRuntimeResponse, "setup_class", setup_class)
    monkeypatch.setattr(SageMakerRuntimeResponse, "invoke_endpoint", invoke_endpoint)


def _refuse(refusals: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("create_pipeline", "update_pipeline", "start_pipeline_execution"):
        monkeypatch.setattr(SageMakerResponse, name, _refusing(refusals, name, getattr(SageMakerResponse, name)))


def _refusing(refusals: dict[str, str], name: str, plain: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def operation(self: Any) -> Any:
        if name in refusals:
            raise ValidationError(refusals.pop(name))
        return plain(self)

    return operation
