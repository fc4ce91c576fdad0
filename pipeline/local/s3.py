"""The local S3: an object is a file, `s3://bucket/key` is `<root>/bucket/key`.

Objects are read-only files that are only ever replaced as a whole, so a download can be a hard link: it costs
neither time nor space, and a later upload under the same key does not change what a job reads.
"""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_KEY_BYTES = 1024
_READ_ONLY = 0o444


class S3Error(Exception):
    """An address that cannot be used, or an object that is not there; one line."""


@dataclass(frozen=True)
class S3Object:
    """An object: `size` in bytes, `modified` in nanoseconds since the epoch."""

    bucket: str
    key: str
    path: Path
    size: int
    modified: int

    @property
    def uri(self) -> str:
        """The object's address."""
        return f"s3://{self.bucket}/{self.key}"


def split_uri(uri: str) -> tuple[str, str]:
    """Split `s3://bucket/key` into bucket and key (which may be empty). Raises S3Error."""
    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme != "s3" or not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise S3Error(f"{uri!r} is not an S3 address: it must look like s3://bucket/key")
    return bucket, key


def safe_parts(key: str) -> tuple[str, ...]:
    """Split a key or relative name into parts that stay inside their folder. Raises S3Error."""
    parts = tuple(key.split("/"))
    if any(part in {"", ".", ".."} or "\0" in part for part in parts) or len(key.encode()) > _KEY_BYTES:
        raise S3Error(f"{key!r} cannot be the key of an object here: each part must be the name of a file or folder")
    return parts


class LocalS3:
    """Buckets under one folder. Safe for several processes: a put is a rename."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, uri: str) -> Path:
        """Return the file that holds the object of this address, there or not. Raises S3Error."""
        bucket, key = split_uri(uri)
        return self.root.joinpath(bucket, *safe_parts(key))

    def find(self, uri: str) -> S3Object | None:
        """Return the object at exactly this address, or None."""
        path = self.path(uri)
        bucket, key = split_uri(uri)
        return _object(bucket, key, path) if path.is_file() else None

    def list(self, uri: str) -> list[S3Object]:
        """Return the objects whose key starts with the address's key, in the order of S3 (UTF-8 bytes of the key).

        The match is by characters: `s3://b/train` matches `train/x` and `training.csv` too.
        """
        bucket, prefix = split_uri(uri)
        *folders, _ = prefix.split("/")
        if any(part in {"", ".", ".."} or "\0" in part for part in folders):
            return []
        start = self.root.joinpath(bucket, *folders)
        found = (o for o in _walk(start, bucket, "".join(f"{part}/" for part in folders)) if o.key.startswith(prefix))
        return sorted(found, key=lambda o: o.key.encode())

    def put_bytes(self, uri: str, body: bytes) -> S3Object:
        """Store an object from memory."""
        with self._placing(uri) as new:
            new.write_bytes(body)
        return self._must(uri)

    def put_file(self, uri: str, source: Path, *, link: bool = False) -> S3Object:
        """Store a file as an object: a copy, or with `link` the same file, which nobody may write to from then on."""
        with self._placing(uri) as new:
            if not (link and _linked(source, new)):
                shutil.copyfile(source, new)
                shutil.copystat(source, new)
        return self._must(uri)

    def read_bytes(self, uri: str) -> bytes:
        """Return an object's content. Raises S3Error where there is none."""
        return self._must(uri).path.read_bytes()

    def download(self, source: S3Object, target: Path, *, writable: bool = False) -> None:
        """Give a job the object as a file: a hard link where possible, a copy of its own when it must be `writable`."""
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # it may be a link to another object: never write into it
        if not writable and _linked(source.path, target):
            return
        shutil.copyfile(source.path, target)
        os.utime(target, ns=(source.modified, source.modified))

    def delete(self, uri: str) -> bool:
        """Remove an object; say whether it was there."""
        path = self.path(uri)
        if not path.is_file():
            return False
        path.unlink(missing_ok=True)
        for parent in path.parents:
            # An empty folder is no object: it must not stand in the way of a key of its name.
            if parent.parent == self.root or not _removed(parent):
                break
        return True

    def _must(self, uri: str) -> S3Object:
        found = self.find(uri)
        if found is None:
            raise S3Error(f"there is no object {uri}")
        return found

    @contextmanager
    def _placing(self, uri: str) -> Iterator[Path]:
        """Give a new file to fill; on success it becomes the object, on failure nothing has changed."""
        target = self.path(uri)
        new = self.root / ".new" / uuid.uuid4().hex  # no bucket starts with a dot: never listed
        new.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield new
            new.chmod(_READ_ONLY)
            _move(new, target, uri)
        finally:
            new.unlink(missing_ok=True)


def _move(new: Path, target: Path, uri: str) -> None:
    for _ in range(100):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            new.replace(target)
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            raise S3Error(f"{uri}: here an object and a folder of the same name cannot both be") from None
        except FileNotFoundError:
            continue  # a delete has just pruned the folder
        return
    raise S3Error(f"{uri} could not be placed: its folder keeps disappearing")


def _linked(source: Path, target: Path) -> bool:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another device, no hard links, too many of them
        return False
    return True


def _removed(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


def _object(bucket: str, key: str, path: Path) -> S3Object:
    status = path.stat()
    return S3Object(bucket, key, path, status.st_size, status.st_mtime_ns)


def _walk(folder: Path, bucket: str, prefix: str) -> Iterator[S3Object]:
    try:
        entries = list(os.scandir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), bucket, f"{prefix}{entry.name}/")
        else:
            try:
                yield _object(bucket, prefix + entry.name, Path(entry.path))
            except FileNotFoundError:
                continue  # deleted since, or a link to nothing
