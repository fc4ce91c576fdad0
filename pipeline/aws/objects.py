"""Objects in S3, by `s3://` URI."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws.errors import aws_errors, code_of, is_denied
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

_WORKERS = 8


@dataclass(frozen=True)
class Uploaded:
    """What an upload did, in files."""

    sent: int
    skipped: int


def split_uri(uri: str) -> tuple[str, str]:
    """Return bucket and key (which may be empty) of an `s3://` URI. Raises UserError."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise UserError(f"{uri} is no S3 address: it must look like s3://bucket/key")
    return bucket, key


@aws_errors()
def read_text(session: boto3.Session, uri: str) -> str:
    """Return an object as UTF-8 text. Raises UserError."""
    bucket, key = split_uri(uri)
    with _existing(uri), closing(session.client("s3").get_object(Bucket=bucket, Key=key)["Body"]) as body:
        content: bytes = body.read()
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise UserError(f"{uri} is no text") from None


@aws_errors()
def put_text(session: boto3.Session, uri: str, text: str) -> None:
    """Write an object of UTF-8 text. Raises UserError."""
    bucket, key = split_uri(uri)
    session.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())


@contextmanager
def _existing(uri: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        if code_of(error) not in {"404", "NoSuchKey"}:
            raise
        # S3's own message to a HEAD request is "Not Found" and names nothing.
        raise UserError(f"there is no object {uri}") from error


@aws_errors()
def download(session: boto3.Session, uri: str, target: Path) -> Path:
    """Copy an object to a file, whole or not at all, and return it; its folder is made. Raises UserError."""
    bucket, key = split_uri(uri)
    target.parent.mkdir(parents=True, exist_ok=True)
    with _existing(uri):
        session.client("s3").download_file(bucket, key, str(target), Config=_transfer())
    return target


@aws_errors()
def upload(session: boto3.Session, source: Path, uri: str) -> None:
    """Copy a file to an object. Raises UserError."""
    bucket, key = split_uri(uri)
    session.client("s3").upload_file(str(source), bucket, key, Config=_transfer())


@aws_errors()
def upload_folder(
    session: boto3.Session, folder: Path, uri: str, progress: Callable[[int, int], None] | None = None
) -> Uploaded:
    """Copy a folder's files below a prefix, and return how many went and how many were there.

    A file is there when its object has the same size and is no older (the rule of `aws s3 sync`). `progress` gets the
    files done and the files in all, from one thread. Raises UserError.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder")
    there = _there(session, uri)
    files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}

    def older(key: str, path: Path) -> bool:
        status = path.stat()
        size, changed = there.get(key, (-1, 0.0))
        return size != status.st_size or changed < int(status.st_mtime)  # S3 has whole seconds

    absent = {key: path for key, path in files.items() if older(key, path)}
    upload_files(session, absent, uri, progress)
    return Uploaded(len(absent), len(files) - len(absent))


@aws_errors()
def missing_files(session: boto3.Session, files: Mapping[str, Path], uri: str) -> dict[str, Path]:
    """Return those of the files, by their key below the prefix, that have no object of their size. Raises UserError."""
    there = _there(session, uri)
    return {key: path for key, path in files.items() if there.get(key, (-1, 0.0))[0] != path.stat().st_size}


@aws_errors()
def upload_files(
    session: boto3.Session, files: Mapping[str, Path], uri: str, progress: Callable[[int, int], None] | None = None
) -> None:
    """Copy files to their keys below a prefix. `progress` is as that of `upload_folder`. Raises UserError."""
    bucket, prefix = split_uri(uri.rstrip("/") + "/")
    client: Any = session.client("s3")

    def send(item: tuple[str, Path]) -> None:
        client.upload_file(str(item[1]), bucket, prefix + item[0], Config=_transfer(threads=False))

    with ThreadPoolExecutor(_WORKERS) as pool:
        for done, _ in enumerate(pool.map(send, files.items()), start=1):
            if progress is not None:
                progress(done, len(files))


def _there(session: boto3.Session, uri: str) -> dict[str, tuple[int, float]]:
    """Return size and time of change of the objects below a prefix, by their key below it."""
    bucket, prefix = split_uri(uri.rstrip("/") + "/")
    listed = _listed(session.client("s3"), bucket, prefix)
    return {key.removeprefix(prefix): (size, changed) for key, size, changed in listed}


@aws_errors()
def is_there(session: boto3.Session, uri: str) -> bool | None:
    """Say whether there is an object at the address, or one below it; None to those who may not look.

    Raises UserError.
    """
    bucket, key = split_uri(uri.rstrip("/"))
    client: Any = session.client("s3")
    try:
        first = [
            next((one["Key"] for one in client.list_objects_v2(**where, MaxKeys=1).get("Contents", [])), None)
            for where in ({"Bucket": bucket, "Prefix": prefix} for prefix in (key, f"{key}/" if key else ""))
        ]
    except ClientError as error:
        if is_denied(error):
            return None
        raise
    return first[0] == key or first[1] is not None


@aws_errors()
def keys(session: boto3.Session, uri: str) -> list[str]:
    """Return the keys under a prefix, in S3's order. Raises UserError."""
    return [key for key, _, _ in _listed(session.client("s3"), *split_uri(uri))]


@aws_errors()
def keys_with_sizes(session: boto3.Session, uri: str) -> dict[str, int]:
    """Return the bytes of each object under a prefix, by its key. Raises UserError."""
    return {key: size for key, size, _ in _listed(session.client("s3"), *split_uri(uri))}


def _listed(client: Any, bucket: str, prefix: str) -> Iterator[tuple[str, int, float]]:  # noqa: ANN401
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for item in page.get("Contents", []):
            changed: datetime = item["LastModified"]
            yield item["Key"], item["Size"], changed.timestamp()


def _transfer(*, threads: bool = True) -> Any:  # noqa: ANN401
    from boto3.s3.transfer import TransferConfig

    # The transfer client in C, where it is installed, would pass by the session's own handlers.
    return TransferConfig(preferred_transfer_client="classic", use_threads=threads)
