"""Objects as files, for the S3 operations: addresses checked, `S3Error` answered as S3 would, keys in S3's order."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pipeline.local.aws.account import Account
from pipeline.local.aws.answers import ServiceError
from pipeline.local.s3 import LocalS3, S3Error

_BUCKET = re.compile(r"(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_LONGEST_KEY = 1024
_LONGEST_NAME = 255


def bucket_path(account: Account, bucket: str) -> Path:
    """Return the bucket's folder. Raises InvalidBucketName and NoSuchBucket."""
    if not _BUCKET.fullmatch(bucket):
        raise ServiceError("InvalidBucketName", f"The specified bucket is not valid: {bucket}")
    folder = account.home.s3 / bucket
    if not folder.is_dir():
        raise ServiceError("NoSuchBucket", f"The specified bucket does not exist: {bucket}", 404)
    return folder


def object_path(account: Account, bucket: str, key: str) -> Path:
    """Return the file of a key, there or not: always inside the bucket's folder.

    Raises KeyTooLongError, and InvalidArgument for a key that S3 would take and a file system cannot hold.
    """
    bucket_path(account, bucket)
    names = key.split("/")
    if len(key.encode("utf-8", "surrogatepass")) > _LONGEST_KEY:
        raise ServiceError("KeyTooLongError", "Your key is too long")
    if any(not _is_file_name(name) for name in names):
        raise ServiceError("InvalidArgument", f"local S3 keeps objects as files and cannot keep the key {key!r}")
    with _answering():
        return LocalS3(account.home.s3).path(f"s3://{bucket}/{key}")


def _is_file_name(name: str) -> bool:
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        return False
    return 0 < size <= _LONGEST_NAME and name not in {".", ".."} and "\0" not in name


@contextmanager
def _answering() -> Iterator[None]:
    try:
        yield
    except S3Error as error:
        raise ServiceError("InvalidArgument", str(error)) from error


def scratch(account: Account) -> Path:
    """Return the folder of unfinished writes: beside the buckets, on their disk, and itself none."""
    folder = account.home.s3 / ".unfinished"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def put(account: Account, bucket: str, key: str, body: IO[bytes]) -> str:
    """Write an object whole or not at all, and return its ETag."""
    object_path(account, bucket, key)
    temporary = scratch(account) / uuid.uuid4().hex
    try:
        with temporary.open("wb") as output:
            shutil.copyfileobj(body, output, 1 << 20)
        return place(account, temporary, bucket, key)
    finally:
        temporary.unlink(missing_ok=True)


def place(account: Account, finished: Path, bucket: str, key: str) -> str:
    """Make a finished file the object of a key, and return its ETag."""
    with _answering():
        return etag(LocalS3(account.home.s3).put_file(f"s3://{bucket}/{key}", finished, link=True).path)


def etag(path: Path) -> str:
    """Return a tag that changes with the object: S3 promises no more of it."""
    status = path.stat()
    return f'"{status.st_size:x}-{status.st_mtime_ns:x}-{status.st_ino:x}"'


def remove(account: Account, bucket: str, key: str) -> None:
    """Delete an object; one that is not there is no error."""
    object_path(account, bucket, key)
    with _answering():
        LocalS3(account.home.s3).delete(f"s3://{bucket}/{key}")


def keys(bucket: Path, prefix: str = "", after: str = "") -> Iterator[tuple[str, Path]]:
    """Yield the keys that start with `prefix` and come after `after`, with their files, in the order of UTF-8."""
    return _keys_in(bucket, "", prefix, after)


def _keys_in(folder: Path, start: str, prefix: str, after: str) -> Iterator[tuple[str, Path]]:
    # A folder sorts with its slash, as its keys do: then the walk is in the order of the keys.
    for key, entry in sorted(_entries(folder, start), key=lambda item: item[0].encode()):
        if entry.is_dir(follow_symlinks=False):
            related = key.startswith(prefix) or prefix.startswith(key)
            passed = _before(key, after) and not after.startswith(key)
            if related and not passed:
                yield from _keys_in(Path(entry.path), key, prefix, after)
        elif key.startswith(prefix) and not _before(key, after) and key != after:
            yield key, Path(entry.path)


def _before(key: str, other: str) -> bool:
    return key.encode() < other.encode()


def _entries(folder: Path, start: str) -> Iterator[tuple[str, os.DirEntry[Any]]]:
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if _is_file_name(entry.name):
                    yield start + entry.name + ("/" if entry.is_dir(follow_symlinks=False) else ""), entry
    except (FileNotFoundError, NotADirectoryError):  # deleted while it was listed
        return
