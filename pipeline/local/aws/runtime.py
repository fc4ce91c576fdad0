"""SageMaker Runtime: invocations, answered by the endpoint's server processes."""

from __future__ import annotations

import contextlib
import io
import random
import time
from typing import Any

from botocore.response import StreamingBody

from pipeline.local.aws.account import ACCOUNT, REGION, Account
from pipeline.local.aws.answers import Answer, Request, ServiceError, operation, refuse
from pipeline.local.aws.objects import as_stream
from pipeline.local.endpoints.asking import MAX_BODY_BYTES, NoAnswerError, NoServerError, Reply, ask
from pipeline.local.endpoints.capture import is_sampled, keep
from pipeline.local.endpoints.launch import ensure_manager
from pipeline.local.endpoints.plan import Plan
from pipeline.local.endpoints.servers import lives, log_of
from pipeline.local.endpoints.state import KIND, is_busy
from pipeline.local.s3 import LocalS3, S3Error

_SERVES = ("InService", "Updating", "RollingBack")
_NOT_HERE = (
    *("TargetModel", "TargetContainerHostname", "EnableExplanations", "InferenceComponentName"),
    *("SessionId", "PrefixAwareId"),
)
_HEADERS = {
    "ContentType": "Content-Type",
    "Accept": "Accept",
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
    "InferenceId": "X-Amzn-SageMaker-Inference-Id",
}
_ATTEMPTS = 3  # servers that may end between being picked and being asked
_TICK = 0.1
_SLACK_SECONDS = 15.0  # a manager takes to start, beyond what the server takes
_LONGEST_MESSAGE = 2048

Endpoint = dict[str, Any]


@operation("sagemaker-runtime", "InvokeEndpoint")
def invoke_endpoint(account: Account, request: Request) -> Answer:
    """Send the body to one of the endpoint's servers and answer what it answers."""
    refuse(request, *_NOT_HERE)
    name = request["EndpointName"]
    endpoint = _serving(account, name)
    plan = Plan.of(endpoint["_live"])
    if request.get("TargetVariant", plan.variant) != plan.variant:
        raise _refused(f"Variant {request['TargetVariant']} was not found for endpoint {name} of account {ACCOUNT}.")
    body = as_stream(request["Body"]).read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise _refused(f"Body must be at most {MAX_BODY_BYTES} bytes long")
    headers = {header: request[member] for member, header in _HEADERS.items() if member in request}
    server, reply = _ask(account, name, body, headers)
    _record(account, name, server, reply)
    if reply.status != 200:
        raise _model_error(name, server, reply)
    content_type = reply.headers.get("content-type", "application/octet-stream")
    if is_sampled(plan):
        sides = (request.get("ContentType", ""), body), (content_type, reply.body)
        # As on the service, where capturing comes after answering: what cannot be kept changes no answer.
        with contextlib.suppress(S3Error, OSError):
            keep(LocalS3(account.home.s3), name, plan, *sides, request.get("InferenceId"))
    attributes = reply.headers.get(_HEADERS["CustomAttributes"].lower())
    return {
        "Body": StreamingBody(io.BytesIO(reply.body), len(reply.body)),
        "ContentType": content_type,
        "InvokedProductionVariant": plan.variant,
        **({} if attributes is None else {"CustomAttributes": attributes}),
    }


def _refused(message: str) -> ServiceError:
    return ServiceError("ValidationError", message)


def _serving(account: Account, name: str) -> Endpoint:
    """Return an endpoint that serves. Raises ValidationError."""
    endpoint = account.store.get(KIND, name)
    if endpoint is not None and is_busy(endpoint):
        ensure_manager(account, name)
    if endpoint is None or endpoint["EndpointStatus"] not in _SERVES or endpoint["_live"] is None:
        raise _refused(f"Endpoint {name} of account {ACCOUNT} not found.")
    return endpoint


def _ask(account: Account, name: str, body: bytes, headers: dict[str, str]) -> tuple[dict[str, Any], Reply]:
    """Ask a server; one that ended meanwhile, as at the end of an update, is replaced by another."""
    error: Exception | None = None
    for _ in range(_ATTEMPTS):
        server = _pick(account, name)
        try:
            return server, ask(server, body, headers)
        except ValueError as wrong:
            raise _refused(f"{wrong}") from None
        except NoServerError as failed:
            error = failed
        except NoAnswerError as failed:
            error = failed
            if lives(server):  # then it is the request that it could not bear
                break
    message = f"The server closed the connection without an answer: {error}"
    return server, Reply(0, {}, message.encode(), 0)


def _pick(account: Account, name: str) -> dict[str, Any]:
    """Return a server that lives, at random by the servers' weights; wait for one where all have died."""
    begun, deadline = account.now(), None
    while True:
        endpoint = _serving(account, name)
        living = [server for server in endpoint["_servers"] if lives(server)]
        if len(living) < len(endpoint["_servers"]):
            ensure_manager(account, name)
        if living:
            weights = [server["weight"] for server in living]
            picked: dict[str, Any] = random.choices(living, weights if any(weights) else None)[0]  # noqa: S311
            return picked
        revival = endpoint.get("_revival")
        if revival and revival["time"] > begun:
            raise ServiceError("ServiceUnavailable", revival["error"], 503)
        deadline = deadline or time.monotonic() + endpoint["_live"]["startup_seconds"] + _SLACK_SECONDS
        if time.monotonic() > deadline:
            raise ServiceError("ServiceUnavailable", f"No server of endpoint {name} could be started", 503)
        time.sleep(_TICK)


def _record(account: Account, name: str, server: dict[str, Any], reply: Reply) -> None:
    from pipeline.local.aws.alarms import record_invocation

    status = reply.status or 500  # without an answer, the service counts a 5XX
    with contextlib.suppress(OSError):  # measuring, too, changes no answer
        record_invocation(account.home, name, server["variant"], server["config"], status, reply.microseconds)


def _model_error(name: str, server: dict[str, Any], reply: Reply) -> ServiceError:
    kind = "client" if 400 <= reply.status < 500 else "server"
    original = reply.body.decode("utf-8", "replace")
    message = (
        f'Received {kind} error ({reply.status}) from primary with message "{original}". '
        f"See {log_of(server)} for more information."
    )
    return ServiceError(
        "ModelError",
        message[:_LONGEST_MESSAGE],
        424,
        OriginalStatusCode=reply.status,
        OriginalMessage=original[:_LONGEST_MESSAGE],
        LogStreamArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints/{name}",
    )
