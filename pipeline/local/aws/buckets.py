"""S3: buckets and what they hold."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path

from pipeline.local.aws.account import REGION, Account
from pipeline.local.aws.answers import Answer, Request, ServiceError, operation, refuse
from pipeline.local.aws.storage import bucket_path, etag, keys

_PAGE = 1000


@operation("s3", "CreateBucket")
def create_bucket(account: Account, request: Request) -> Answer:
    """Make a bucket; making it again is no error, as in us-east-1."""
    bucket = request["Bucket"]
    try:
        bucket_path(account, bucket)
    except ServiceError as error:
        if error.code != "NoSuchBucket":
            raise
        (account.home.s3 / bucket).mkdir(parents=True, exist_ok=True)
    return {"Location": f"/{bucket}"}


@operation("s3", "HeadBucket")
def head_bucket(account: Account, request: Request) -> Answer:
    """Say that the bucket is there."""
    try:
        bucket_path(account, request["Bucket"])
    except ServiceError as error:
        # HEAD has no body: S3's errors to it carry the status alone.
        raise ServiceError("404", "Not Found", 404) from error
    return {"BucketRegion": REGION}


@operation("s3", "ListBuckets")
def list_buckets(account: Account, request: Request) -> Answer:
    """Answer every bucket, by name."""
    refuse(request, "ContinuationToken", "MaxBuckets")
    prefix = request.get("Prefix", "")
    folders = sorted(path for path in account.home.s3.glob("[!.]*") if path.is_dir() and path.name.startswith(prefix))
    return {"Buckets": [{"Name": path.name, "CreationDate": path.stat().st_ctime} for path in folders]}


@operation("s3", "ListObjectsV2")
def list_objects_v2(account: Account, request: Request) -> Answer:
    """Answer the keys under a prefix in the order of UTF-8, those with the delimiter behind it as common prefixes."""
    size = min(request.get("MaxKeys", _PAGE), _PAGE)
    contents: list[Answer] = []
    prefixes: list[Answer] = []
    last, truncated = "", False
    for entry, path in _entries(account, request):
        if len(contents) + len(prefixes) >= size:
            truncated = size > 0
            break
        last = entry
        if path is None:
            prefixes.append({"Prefix": entry})
        elif (shown := _content(entry, path)) is not None:
            contents.append(shown)
    answer: Answer = {"Name": request["Bucket"], "Prefix": request.get("Prefix", ""), "MaxKeys": size}
    answer |= {"KeyCount": len(contents) + len(prefixes), "IsTruncated": truncated}
    answer |= {"Contents": contents} if contents else {}
    answer |= {"CommonPrefixes": prefixes} if prefixes else {}
    return answer | ({"NextContinuationToken": base64.urlsafe_b64encode(last.encode()).decode()} if truncated else {})


def _entries(account: Account, request: Request) -> Iterator[tuple[str, Path | None]]:
    """Yield keys with their files, and common prefixes without one, after the request's token or StartAfter."""
    prefix, delimiter = request.get("Prefix", ""), request.get("Delimiter", "")
    token = request.get("ContinuationToken")
    after = request.get("StartAfter", "") if token is None else _decode(token)
    common = after if token is not None and delimiter and after.endswith(delimiter) else None
    for key, path in keys(bucket_path(account, request["Bucket"]), prefix, after):
        if common is not None and key.startswith(common):
            continue
        end = key.find(delimiter, len(prefix)) if delimiter else -1
        if end < 0:
            yield key, path
        else:
            common = key[: end + len(delimiter)]
            yield common, None


def _decode(token: str) -> str:
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (ValueError, binascii.Error):
        raise ServiceError("InvalidArgument", "The continuation token provided is incorrect") from None


def _content(key: str, path: Path) -> Answer | None:
    try:
        status = path.stat()
        tag = etag(path)
    except FileNotFoundError:  # deleted while it was listed
        return None
    return {
        "Key": key,
        "LastModified": status.st_mtime,
        "ETag": tag,
        "Size": status.st_size,
        "StorageClass": "STANDARD",
    }
