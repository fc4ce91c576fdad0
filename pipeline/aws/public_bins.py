"""The public bucket of the Amazon Bin Image Dataset, read without credentials."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError, IncompleteReadError

from pipeline.aws.errors import aws_errors, code_of, is_denied
from pipeline.data import abid

WORKERS = 32
"""Requests under way at once: what hides 50 ms of latency behind some hundred objects a second."""
_ATTEMPTS = 4
_FIRST_WAIT = 0.1
_MD5 = re.compile(r'"([0-9a-f]{32})"')  # the tag of an object that was put in one piece


class UnusableError(Exception):
    """An object that is not there, or is not what it should be; the message says why in a few words."""


def client() -> Any:  # noqa: ANN401
    """Return an S3 client that signs nothing. It asks again, ever more slowly, where S3 throttles or fails."""
    import boto3
    from botocore import UNSIGNED
    from botocore.config import Config

    config = Config(
        signature_version=UNSIGNED,
        max_pool_connections=WORKERS,
        connect_timeout=10,
        read_timeout=30,
        retries={"mode": "standard", "total_max_attempts": 6},
        # Half of the time that a request takes here. We check what comes ourselves, and our keys are digits.
        parameter_validation=False,
        response_checksum_validation="when_required",
    )
    with aws_errors():
        return boto3.Session(region_name=abid.REGION).client("s3", config=config)


@dataclass(frozen=True)
class PublicBins:
    """The bucket. One may be shared by threads."""

    client: Any = field(default_factory=client)
    bucket: str = abid.BUCKET

    def get(self, key: str, limit: int) -> bytes:
        """Return an object of at most `limit` bytes, compared with its length and tag.

        Raises:
            UnusableError: it is not there, larger, or it does not match its own tag however often it is read.
            UserError: S3 cannot be reached, or refuses after all retries.
        """
        fault = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_FIRST_WAIT * 2**attempt)
            with aws_errors(), _existing():
                answer = self.client.get_object(Bucket=self.bucket, Key=key)
            try:
                content = _read(answer, limit)
            except (HTTPClientError, IncompleteReadError):  # botocore retries requests, not the reading of bodies
                fault = "it broke off"
                continue
            tag = _MD5.fullmatch(str(answer.get("ETag", "")))
            if tag is None or hashlib.md5(content, usedforsecurity=False).hexdigest() == tag[1]:
                return content
            fault = "it was not what its tag says"
        raise UnusableError(f"damaged on the way {_ATTEMPTS} times: {fault}")

    def photo(self, id: str) -> bytes:
        """Return a photo that is a whole JPEG. Raises as `get`."""
        content = self.get(abid.photo_key(id), abid.MAX_PHOTO_BYTES)
        if fault := abid.photo_fault(content):
            raise UnusableError(fault)
        return content

    def record(self, id: str, label: str | None) -> bytes:
        """Return a photo's record; with `label`, only one of so many items. Raises as `get`."""
        content = self.get(abid.record_key(id), abid.MAX_RECORD_BYTES)
        if fault := abid.record_fault(content, label):
            raise UnusableError(fault)
        return content

    def check(self, key: str) -> None:
        """Do nothing where there is an object of this key. Raises UnusableError and UserError."""
        with aws_errors(), _existing():
            self.client.head_object(Bucket=self.bucket, Key=key)

    def listing(self, folder: str) -> Iterator[dict[str, int]]:
        """Yield bytes by key of everything below a folder, page by page. Raises UserError.

        The names start with digits, so that ten listings may run side by side.
        """
        with ThreadPoolExecutor(max_workers=10) as pool:
            starts = [(f"{folder}/{digit}", "") for digit in range(10)]
            while starts:
                asked = list(pool.map(lambda start: self._page(*start), starts))
                yield from (keys for keys, _ in asked)
                starts = [(prefix, token) for (prefix, _), (_, token) in zip(starts, asked, strict=True) if token]

    @aws_errors()
    def _page(self, prefix: str, token: str) -> tuple[dict[str, int], str]:
        more = {"ContinuationToken": token} if token else {}
        page = self.client.list_objects_v2(Bucket=self.bucket, Prefix=prefix, **more)
        return {one["Key"]: one["Size"] for one in page.get("Contents", [])}, page.get("NextContinuationToken", "")


@contextmanager
def _existing() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if code_of(error) in {"404", "NoSuchKey"}:
            raise UnusableError("not there") from error
        if is_denied(error):  # what S3 says of an object that is not there to whoever may not list
            raise UnusableError("not there, or not public") from error
        raise


def _read(answer: Any, limit: int) -> bytes:  # noqa: ANN401
    # Not `with answer["Body"]`: that gives urllib3's stream, whose errors botocore does not translate.
    with closing(answer["Body"]) as body:
        if answer["ContentLength"] > limit:
            raise UnusableError(f"larger than {limit:,} bytes")
        return bytes(body.read())
