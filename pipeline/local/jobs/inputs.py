"""A job's inputs: which objects of the local S3 each host gets, under which names."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.local.failures import StepError
from pipeline.local.s3 import LocalS3, S3Error, S3Object, safe_parts


@dataclass(frozen=True)
class InputFile:
    """An object and its place below the input's folder."""

    source: S3Object
    name: str


@dataclass(frozen=True)
class Input:
    """A channel of a training job or an input of a processing job; `folder` is relative to /opt/ml."""

    name: str
    folder: str
    uri: str
    data_type: str
    distribution: str

    @classmethod
    def parse(cls, name: str, folder: str, source: Mapping[str, Any]) -> Input:
        """Read an S3DataSource or ProcessingS3Input. Raises StepError for what only the service can do."""
        mode = source.get("S3InputMode", "File")
        data_type = source.get("S3DataType", "S3Prefix")
        if mode == "Pipe" or data_type not in {"S3Prefix", "ManifestFile"}:
            raise StepError(f"ClientError: input {name}: {mode} mode with {data_type} does not run on this machine")
        distribution = source.get("S3DataDistributionType", "FullyReplicated")
        return cls(name, folder, source["S3Uri"], data_type, distribution)


def for_host(s3: LocalS3, input: Input, host: int, hosts: int) -> list[InputFile]:
    """Return what a host (counted from 0) gets: everything, or its share of the objects where they are sharded.

    Raises StepError where there is no data at all.
    """
    try:
        files = _manifest(s3, input.uri) if input.data_type == "ManifestFile" else _prefix(s3, input.uri)
    except S3Error as error:
        raise StepError(f"ClientError: input {input.name}: {error}") from None
    if not files:
        raise StepError(f"ClientError: Data download failed: input {input.name}: no objects at {input.uri}")
    return files[host::hosts] if input.distribution == "ShardedByS3Key" else files


def place(s3: LocalS3, files: Sequence[InputFile], folder: Path) -> None:
    """Put the files into a folder that a job will read."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        s3.download(file.source, folder.joinpath(*safe_parts(file.name)))


def relative_name(key: str, prefix: str) -> str:
    """Name an object below the folder of its input.

    A prefix that names a folder, with or without its slash, is taken off; of one that ends inside a name
    (`data/part-` for `data/part-7.csv`), the folder it is in is.
    """
    rest = key[len(prefix) :]
    if rest and (prefix.endswith("/") or not prefix or rest.startswith("/")):
        return rest.lstrip("/")
    return key[prefix.rfind("/") + 1 :]


def _prefix(s3: LocalS3, uri: str) -> list[InputFile]:
    _, _, rest = uri.partition("://")
    prefix = rest.partition("/")[2]
    return [InputFile(found, relative_name(found.key, prefix)) for found in s3.list(uri)]


def _manifest(s3: LocalS3, uri: str) -> list[InputFile]:
    try:
        entries = json.loads(s3.read_bytes(uri))
        return list(_entries(s3, entries))
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise S3Error(f"{uri} is not a manifest: {error}") from None


def _entries(s3: LocalS3, entries: list[Any]) -> Iterator[InputFile]:
    """Yield what a manifest names: first its prefix, `{"prefix": "s3://bucket/folder/"}`, then keys below that."""
    prefix, given = entries[0]["prefix"], set[str]()
    for name in entries[1:]:
        if not isinstance(name, str):
            raise TypeError(f"{name!r:.60} is no name")
        safe_parts(name)  # it will be the name of a file in the job's folder
        if name in given:
            raise S3Error(f"the manifest names {name} twice")
        found = s3.find(prefix + name)
        if found is None:
            raise S3Error(f"the manifest names {prefix}{name}, which is not there")
        given.add(name)
        yield InputFile(found, name)
