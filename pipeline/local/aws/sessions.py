"""The boto3 session that is answered here, by handlers on botocore's events."""

from __future__ import annotations

import importlib
import os
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

import boto3
import botocore.session
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.model import OperationModel

from pipeline.local.aws.account import BUCKET, REGION, Account, Launcher
from pipeline.local.aws.answers import OPERATIONS, Request, ServiceError, invalid, not_local
from pipeline.local.aws.shapes import answer_faults, faults, inward, outward
from pipeline.local.home import Home
from pipeline.local.store import Store

# What answers each service.
MODULES = {
    "sagemaker": (
        *("pipelines", "executions", "steps", "jobs", "groups", "packages", "tags"),
        *("hosting_models", "endpoint_configs", "endpoints"),
    ),
    "sagemaker-runtime": ("runtime",),
    "s3": ("buckets", "objects", "multipart"),
    "sts": ("identity",),
    "logs": ("logs",),
    "events": ("bus", "rules", "targets"),
    "lambda": ("functions",),
    "cloudwatch": ("alarms", "metrics"),
    "application-autoscaling": ("scaling",),
}
# The user's profile and configuration files are not read: nothing in them is about this account.
_NO_FILES = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


def open_session(home: Home, launch: Launcher | None, containers: Mapping[str, Any] | None = None) -> boto3.Session:
    """Return the session of `pipeline.local.aws.session`."""
    from pipeline.local.aws.launch import start_engine
    from pipeline.local.deliveries import resume

    account = Account(home, Store(home.database), launch or start_engine, containers)
    (home.s3 / BUCKET).mkdir(parents=True, exist_ok=True)
    resume(home, account.store)
    core = botocore.session.Session(session_vars=_NO_FILES)
    core.register_component("data_loader", _loader())
    core.register("before-parameter-build", _remember, unique_id="local-aws")
    core.register("before-call", cast("Any", _Answering(account)))
    session = boto3.Session(
        botocore_session=core,
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - signs nothing: no request leaves
    )
    # Clients may be shared, by threads too, and take longer to make than to answer.
    session.client = cache(session.client)  # type: ignore[method-assign]
    return session


@cache
def _loader() -> object:
    # Shared by the sessions of a process: SageMaker's model takes 0.15 s to read.
    return botocore.session.Session(session_vars=_NO_FILES).get_component("data_loader")


def _remember(**event: Any) -> None:  # noqa: ANN401
    # The handlers of before-call get the request as HTTP; we want it as it was asked.
    event["context"]["local_request"] = event["params"]


class _Answering:
    """The handler of before-call: it answers every operation, so that none goes on to the network."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def __call__(self, model: OperationModel, context: dict[str, Any], **_: object) -> tuple[AWSResponse, object]:
        try:
            return _response(200, self._answer(model, context["local_request"]))
        except ServiceError as error:
            return _response(error.status, {"Error": {"Code": error.code, "Message": error.message}, **error.members})

    def _answer(self, model: OperationModel, request: Request) -> Mapping[str, Any]:
        service = str(model.service_model.service_name)
        load(service)
        function = OPERATIONS.get((service, model.name))
        if function is None:
            raise not_local(f"{service}:{model.name}")
        if wrong := faults(model.input_shape, request):
            raise invalid(f"{len(wrong)} validation error(s) detected: {'; '.join(wrong)}")
        answer = function(self._account, inward(model.input_shape, request)) or {}
        if wrong := answer_faults(model.output_shape, answer):
            message = f"local AWS would answer {model.name} wrongly: {'; '.join(wrong)}"
            raise ServiceError("InternalFailure", message, 500)
        return outward(model.output_shape, answer)


@cache
def load(service: str) -> None:
    """Import what answers a service's operations: one service's calls need not wait for the others' modules."""
    for module in MODULES.get(service, ()):
        importlib.import_module(f"pipeline.local.aws.{module}")


def _response(status: int, body: Mapping[str, Any]) -> tuple[AWSResponse, dict[str, Any]]:
    metadata = {"RequestId": str(uuid.uuid4()), "HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}
    return AWSResponse("local://aws", status, cast("Any", HeadersDict()), None), {**body, "ResponseMetadata": metadata}
