"""A photo from a bucket that is on the list."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing

from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, HTTPClientError, ReadTimeoutError

from predict import clients
from predict.errors import RefusalError
from predict.limits import LARGEST_PHOTO, too_large

# S3 answers the second for a missing object too, to who may not list the bucket; the third to a key of no bytes.
_UNREADABLE = frozenset({"NoSuchKey", "NoSuchBucket", "AccessDenied", "404", "403", "InvalidObjectState"})


def read(uri: str, allowed: Collection[str]) -> bytes:
    """Return an object's bytes; nothing is asked of S3 for a bucket that is not allowed.

    Args:
        uri: `s3://bucket/key`.
        allowed: names of buckets; no pattern, no prefix.

    Raises:
        RefusalError: 400, the URI is malformed or there is no such object; 403, the bucket is not allowed; 413, too
            many bytes; 502, S3 cannot be read; 504, it took too long.
    """
    bucket, key = _split(uri)
    if bucket not in allowed:
        raise RefusalError(403, "the bucket of s3_uri is not allowed")
    try:
        return _get(bucket, key)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in _UNREADABLE:
            raise RefusalError(400, "s3_uri names no object that can be read") from error
        raise RefusalError(502, "s3_uri cannot be read") from error
    except (ReadTimeoutError, ConnectTimeoutError) as error:
        raise RefusalError(504, "reading s3_uri took too long") from error
    except (BotoCoreError, HTTPClientError) as error:
        raise RefusalError(502, "s3_uri cannot be read") from error


def _split(uri: str) -> tuple[str, str]:
    # Not by urlsplit: a key may hold `?` and `#`.
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    try:
        size = len(key.encode())
    except UnicodeEncodeError:  # half of a surrogate pair: JSON can hold it, a request to S3 cannot
        size = 0
    if not uri.startswith("s3://") or not bucket or not 0 < size <= 1024:
        raise RefusalError(400, "s3_uri must be s3://bucket/key")
    return bucket, key


def _get(bucket: str, key: str) -> bytes:
    answer = clients.s3().get_object(Bucket=bucket, Key=key)
    with closing(answer["Body"]) as body:
        if answer["ContentLength"] > LARGEST_PHOTO:
            raise too_large()
        return body.read()
