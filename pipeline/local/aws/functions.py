"""Lambda: the functions of this repository, called here."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import platform
import sys
from datetime import UTC, datetime
from typing import Any

from botocore.response import StreamingBody

from pipeline.local import functions
from pipeline.local.aws.account import ACCOUNT, REGION, Account
from pipeline.local.aws.answers import Answer, Request, ServiceError, operation, refuse
from pipeline.local.aws.paging import page
from pipeline.local.deliveries import deliver
from pipeline.local.functions import Function, find_function

_MOST_BYTES = {"RequestResponse": 6 << 20, "Event": 1 << 20, "DryRun": 6 << 20}


@operation("lambda", "Invoke")
def invoke(account: Account, request: Request) -> Answer:
    """Call a function and wait (RequestResponse), queue the call (Event), or only look whether it could be (DryRun)."""
    refuse(request, "ClientContext", "DurableExecutionName", "TenantId")
    if request.get("LogType") == "Tail":
        refuse(request, "LogType")
    function = _find(request)
    kind, event = request.get("InvocationType", "RequestResponse"), _event(request)
    if len(event) > _MOST_BYTES[kind]:
        message = f"Request must be smaller than {_MOST_BYTES[kind]} bytes for the InvokeFunction operation"
        raise ServiceError("RequestTooLargeException", message, 413)
    if kind == "DryRun":
        return {"StatusCode": 204, "Payload": _body(b"")}
    if kind == "Event":
        deliver(account.home, account.store, function.arn, event)
        return {"StatusCode": 202, "Payload": _body(b"")}
    answer = functions.call(account.home, function, event)
    failed = {"FunctionError": "Unhandled"} if answer.failed else {}
    return {"StatusCode": 200, "ExecutedVersion": "$LATEST", "Payload": _body(answer.payload), **failed}


def _event(request: Request) -> bytes:
    payload = request.get("Payload") or b"{}"
    if hasattr(payload, "read"):
        payload = payload.read()
    event = payload.encode() if isinstance(payload, str) else bytes(payload)
    try:
        json.loads(event)
    except (ValueError, RecursionError) as error:
        raise ServiceError(
            "InvalidRequestContentException", f"Could not parse request body into json: {error}"
        ) from None
    return event


def _body(payload: bytes) -> StreamingBody:
    return StreamingBody(io.BytesIO(payload), len(payload))


def _find(request: Request) -> Function:
    name, latest = request["FunctionName"].removesuffix(":$LATEST"), request.get("Qualifier", "$LATEST") == "$LATEST"
    found = find_function(name)
    if found is None or not latest:
        plain = name.rpartition(":")[2] + ("" if latest else f":{request['Qualifier']}")
        message = f"Function not found: arn:aws:lambda:{REGION}:{ACCOUNT}:function:{plain}"
        raise ServiceError("ResourceNotFoundException", message, 404)
    return found


@operation("lambda", "GetFunction")
def get_function(account: Account, request: Request) -> Answer:
    """Answer a function's configuration and tags."""
    return {"Configuration": _configuration(account, _find(request)), "Tags": {"project": "bincount"}}


@operation("lambda", "GetFunctionConfiguration")
def get_function_configuration(account: Account, request: Request) -> Answer:
    """Answer a function's configuration."""
    return _configuration(account, _find(request))


@operation("lambda", "ListFunctions")
def list_functions(account: Account, request: Request) -> Answer:
    """Answer the functions by name."""
    refuse(request, "MasterRegion")
    names = sorted(f"bincount-{folder.parent.name}" for folder in functions.FOLDER.glob("*/handler.py"))
    found = [function for name in names if (function := find_function(name))]
    asked: dict[str, Any] = {"MaxResults": request.get("MaxItems", 50)}
    asked |= {"NextToken": request["Marker"]} if "Marker" in request else {}
    listed = [_configuration(account, function) for function in found]
    answer = page(listed, asked, "Functions", "FunctionName", dict)
    if "NextToken" in answer:
        answer["NextMarker"] = answer.pop("NextToken")
    return answer


def _configuration(account: Account, function: Function) -> Answer:
    files = sorted((function.folder / function.package).rglob("*.py"))
    code = b"".join(file.read_bytes() for file in files)
    changed = datetime.fromtimestamp(max(file.stat().st_mtime for file in files), UTC)
    return {
        "FunctionName": function.name,
        "FunctionArn": function.arn,
        "Runtime": f"python3.{sys.version_info.minor}",
        "Role": f"arn:aws:iam::{ACCOUNT}:role/{function.name}",
        "Handler": f"{function.package}.handler.handler",
        "CodeSize": len(code),
        "CodeSha256": base64.b64encode(hashlib.sha256(code).digest()).decode(),
        "Timeout": int(functions.SECONDS),
        "MemorySize": functions.MEMORY_MB,
        "LastModified": changed.strftime("%Y-%m-%dT%H:%M:%S.000+0000"),
        "Version": "$LATEST",
        "Environment": {"Variables": functions.settings(account.home, function.package)},
        "PackageType": "Zip",
        "Architectures": ["arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64"],
        "State": "Active",
        "LastUpdateStatus": "Successful",
    }
