"""Where fetched photos and records go: a folder, or a prefix of a bucket. Each object arrives whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import ClientError

from pipeline.aws.errors import aws_errors, code_of, is_denied
from pipeline.aws.objects import keys_with_sizes, split_uri
from pipeline.aws.public_bins import WORKERS, PublicBins
from pipeline.data import abid
from pipeline.data.selection import METADATA, PHOTOS
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

MISSING = "missing.txt"
_UNFINISHED = ".unfinished"
_ABANDONED = 3600.0  # seconds after which an unfinished file has nobody who writes it


class Place(Protocol):
    """Where objects go. May be shared by threads."""

    def has(self, item: abid.Item) -> bool:
        """Say whether the photo and its record are there, whole."""

    def put(self, key: str, content: bytes) -> None:
        """Put an object in its place. Raises UserError, OSError."""

    def take_photo(self, source: PublicBins, spelled: str, id: str) -> int:
        """Bring the photo of this spelling, and return its bytes (0 where they did not come through here).

        Raises UnusableError, UserError, OSError.
        """

    def holds(self, key: str) -> bool:
        """Say whether there is an object of this key."""

    def drop(self, key: str) -> None:
        """Remove an object, if there is one."""


class FolderPlace:
    """A folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in (PHOTOS, METADATA, _UNFINISHED):
            (root / folder).mkdir(parents=True, exist_ok=True)
        for old in (root / _UNFINISHED).iterdir():
            if old.stat().st_mtime < time.time() - _ABANDONED:
                old.unlink(missing_ok=True)

    def has(self, item: abid.Item) -> bool:
        """Say whether photo and record are there: what was begun is under another name until it is whole."""
        return self._has_photo(item) and self._has_record(item.id)

    def _has_photo(self, item: abid.Item) -> bool:
        try:
            with (self.root / abid.photo_key(item.id)).open("rb") as file:
                start, size = file.read(3), os.fstat(file.fileno()).st_size
                file.seek(max(0, size - 2))
                fault = abid.photo_ends_fault(start, file.read(2))
        except OSError:
            return False
        return fault is None and item.size in {None, size}

    def _has_record(self, id: str) -> bool:
        try:
            return abid.record_fault((self.root / abid.record_key(id)).read_bytes()) is None
        except OSError:
            return False

    def put(self, key: str, content: bytes) -> None:
        """Write a file beside its place, and move it there."""
        new = self.root / _UNFINISHED / uuid.uuid4().hex
        try:
            new.write_bytes(content)
            new.replace(self.root / key)
        except OSError as error:  # of a full disk the system does not say which
            raise OSError(error.errno, error.strerror, str(self.root / key)) from error
        finally:
            new.unlink(missing_ok=True)

    def take_photo(self, source: PublicBins, spelled: str, id: str) -> int:
        """Download a photo."""
        content = source.photo(spelled)
        self.put(abid.photo_key(id), content)
        return len(content)

    def holds(self, key: str) -> bool:
        """Say whether there is a file of this key."""
        return (self.root / key).exists()

    def drop(self, key: str) -> None:
        """Remove a file, if there is one."""
        (self.root / key).unlink(missing_ok=True)

    def check_room(self, items: list[abid.Item]) -> None:
        """Raise UserError where the disk has no room for those of the photos that are not there yet."""
        there = {path.name for path in (self.root / PHOTOS).iterdir()}
        needed = sum(item.size or 0 for item in items if f"{item.id}.jpg" not in there)
        free = shutil.disk_usage(self.root).free
        if needed > free:
            raise UserError(
                f"the photos need {needed / 1e9:.1f} GB and the disk of {self.root} has {free / 1e9:.1f} GB left: "
                "fetch to another disk, or fewer (--limit)"
            )


class BucketPlace:
    """A prefix of a bucket. Photos are copied by S3 itself where it lets us, records always pass through here."""

    def __init__(self, session: boto3.Session, uri: str) -> None:
        from botocore.config import Config

        self.bucket, prefix = split_uri(uri)
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        # One client of so many connections: that of the session has ten.
        self._client: Any = session.client("s3", config=Config(max_pool_connections=WORKERS))
        listed = keys_with_sizes(session, f"s3://{self.bucket}/{self._prefix}")
        self._there = {key.removeprefix(self._prefix): size for key, size in listed.items()}
        self._copies = True

    def has(self, item: abid.Item) -> bool:
        """Say whether photo and record are there: S3 has no halves of objects."""
        photo, record = self._there.get(abid.photo_key(item.id), 0), self._there.get(abid.record_key(item.id), 0)
        return photo > 0 and record > 0 and item.size in {None, photo}

    def put(self, key: str, content: bytes) -> None:
        """Put an object."""
        with aws_errors():
            self._client.put_object(Bucket=self.bucket, Key=self._prefix + key, Body=content)

    def take_photo(self, source: PublicBins, spelled: str, id: str) -> int:
        """Let S3 copy a photo; where it may not, download and upload it."""
        if self._copies and self._copied(source, spelled, id):
            return 0
        content = source.photo(spelled)
        # S3 says "denied" of one that is missing as well, so only a photo that is there tells that copies are refused.
        self._copies = False
        self.put(abid.photo_key(id), content)
        return len(content)

    def _copied(self, source: PublicBins, spelled: str, id: str) -> bool:
        try:
            with aws_errors():
                self._copy(source.bucket, abid.photo_key(spelled), self._prefix + abid.photo_key(id))
        except UserError as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and (is_denied(cause) or code_of(cause) in {"NoSuchKey", "NoSuchBucket"}):
                return False
            raise
        return True

    def _copy(self, bucket: str, key: str, target: str) -> None:
        # Tags are left behind: to read them is a right of its own.
        self._client.copy_object(
            Bucket=self.bucket, Key=target, CopySource={"Bucket": bucket, "Key": key}, TaggingDirective="REPLACE"
        )

    def holds(self, key: str) -> bool:
        """Say whether there was an object of this key."""
        return key in self._there

    def drop(self, key: str) -> None:
        """Remove an object, if there was one."""
        if self.holds(key):
            with aws_errors():
                self._client.delete_object(Bucket=self.bucket, Key=self._prefix + key)


def missing_text(missing: list[tuple[str, str]]) -> str:
    """Return the report of what could not be had: an id and why, a line each."""
    return "".join(f"{id}\t{json.dumps(why)[1:-1]}\n" for id, why in sorted(missing))
