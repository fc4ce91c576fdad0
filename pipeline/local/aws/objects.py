"""S3: objects."""

from __future__ import annotations

import io
import mimetypes
import re
from pathlib import Path
from typing import IO, cast
from urllib.parse import unquote, urlsplit

from botocore.response import StreamingBody

from pipeline.local.aws.account import Account
from pipeline.local.aws.answers import Answer, Request, ServiceError, operation, refuse
from pipeline.local.aws.storage import etag, object_path, put, remove

_UNKNOWN_TYPE = "binary/octet-stream"


def uri_exists(account: Account, uri: str) -> bool:
    """Say whether an `s3://` URI names an object that is there."""
    parts = urlsplit(uri)
    try:
        return object_path(account, parts.netloc, parts.path.lstrip("/")).is_file()
    except ServiceError:
        return False


def _find(account: Account, request: Request) -> Path:
    refuse(request, "VersionId", "PartNumber", "IfNoneMatch", "IfModifiedSince", "IfUnmodifiedSince")
    path = object_path(account, request["Bucket"], request["Key"])
    if not path.is_file():
        raise ServiceError("NoSuchKey", "The specified key does not exist.", 404)
    if request.get("IfMatch", etag(path)) != etag(path):
        raise ServiceError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
    return path


def _about(path: Path) -> Answer:
    status = path.stat()
    kind = mimetypes.guess_type(path.name)[0] or _UNKNOWN_TYPE
    about = {"ContentLength": status.st_size, "LastModified": status.st_mtime, "ETag": etag(path)}
    return about | {"ContentType": kind, "AcceptRanges": "bytes", "Metadata": {}}


@operation("s3", "HeadObject")
def head_object(account: Account, request: Request) -> Answer:
    """Answer the object's size, time and tag."""
    try:
        return _about(_find(account, request))
    except ServiceError as error:
        if error.status != 404:
            raise
        # HEAD has no body: S3's errors to it carry the status alone.
        raise ServiceError("404", "Not Found", 404) from error


@operation("s3", "GetObject")
def get_object(account: Account, request: Request) -> Answer:
    """Answer the object's bytes, or a range of them, as a stream."""
    path = _find(account, request)
    about = _about(path)
    size = about["ContentLength"]
    start, end = _range(request.get("Range"), size)
    if request.get("Range"):
        about |= {"ContentRange": f"bytes {start}-{end - 1}/{size}", "ContentLength": end - start}
    return about | {"Body": StreamingBody(cast("IO[bytes]", _Window(path, start, end - start)), end - start)}


def _range(text: str | None, size: int) -> tuple[int, int]:
    """Return where a Range header's bytes start and end (exclusive)."""
    if text is None:
        return 0, size
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", text)
    if not found or not any(found.groups()):
        return 0, size  # as HTTP has it: a range that cannot be read is ignored
    first, last = found.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(size, int(last) + 1) if first and last else size
    if start >= end:
        raise ServiceError("InvalidRange", "The requested range is not satisfiable", 416)
    return start, end


class _Window(io.RawIOBase):
    """Some bytes of a file; closes it at their end, since few readers of a Body close it."""

    def __init__(self, path: Path, start: int, size: int) -> None:
        self._file, self._left = path.open("rb"), size
        self._file.seek(start)

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1) -> bytes:
        # botocore asks with None for everything.
        return super().read(-1 if size is None else size) or b""

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if not self._left:
            return 0
        wanted = memoryview(buffer)[: self._left]
        count = self._file.readinto(wanted)
        self._left -= count
        if not self._left:
            self._file.close()
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


@operation("s3", "PutObject")
def put_object(account: Account, request: Request) -> Answer:
    """Keep an object, whole or not at all. User metadata has no place in a file, and is refused."""
    refuse(request, "Metadata", "Tagging", "IfMatch", "IfNoneMatch", "WebsiteRedirectLocation")
    return {"ETag": put(account, request["Bucket"], request["Key"], as_stream(request.get("Body", b"")))}


def as_stream(body: bytes | bytearray | str | IO[bytes]) -> IO[bytes]:
    """Return what boto3 takes as a body as a stream."""
    if isinstance(body, str):
        body = body.encode()
    return io.BytesIO(body) if isinstance(body, bytes | bytearray) else body


@operation("s3", "CopyObject")
def copy_object(account: Account, request: Request) -> Answer:
    """Keep a second object with the bytes of the first."""
    refuse(request, "Metadata", "CopySourceIfMatch", "CopySourceIfNoneMatch")
    bucket, _, key = unquote(request["CopySource"]).lstrip("/").partition("/")
    source = _find(account, {"Bucket": bucket, "Key": key})
    with source.open("rb") as body:
        tag = put(account, request["Bucket"], request["Key"], body)
    target = object_path(account, request["Bucket"], request["Key"])
    return {"CopyObjectResult": {"ETag": tag, "LastModified": target.stat().st_mtime}}


@operation("s3", "DeleteObject")
def delete_object(account: Account, request: Request) -> Answer:
    """Remove an object; one that is not there is no error."""
    refuse(request, "VersionId", "IfMatch")
    remove(account, request["Bucket"], request["Key"])
    return {}


@operation("s3", "DeleteObjects")
def delete_objects(account: Account, request: Request) -> Answer:
    """Remove many objects, and say for each what came of it."""
    deleted, errors = [], []
    for item in request["Delete"]["Objects"]:
        try:
            delete_object(account, {"Bucket": request["Bucket"], **item})
            deleted.append({"Key": item["Key"]})
        except ServiceError as error:
            if error.code == "NoSuchBucket":
                raise
            errors.append({"Key": item["Key"], "Code": error.code, "Message": error.message})
    quiet = request["Delete"].get("Quiet", False)
    return ({} if quiet else {"Deleted": deleted}) | ({"Errors": errors} if errors else {})
