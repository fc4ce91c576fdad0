"""What a finished job leaves: folders uploaded to the local S3, and the archives of training jobs."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from pipeline.local.failures import StepError
from pipeline.local.s3 import LocalS3, S3Object

_LEVEL = 1  # of gzip: weights hardly compress, and time is what a local run has least of


def join(uri: str, *names: str) -> str:
    """Append names to an S3 address."""
    return "/".join([uri.rstrip("/"), *names])


def files_below(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield the relative name and path of each regular file, in order.

    Raises StepError for a symbolic link that leads out of the folder: what it shows is not the job's.
    """
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            raise StepError(f"ClientError: output {path.relative_to(folder)} is a link to outside its folder")
        if path.is_file():
            yield path.relative_to(folder).as_posix(), path


def upload(s3: LocalS3, folder: Path, uri: str) -> None:
    """Upload a folder of a job that is over, without copying where the disk allows."""
    for name, path in files_below(folder):
        s3.put_file(join(uri, name), path, link=not path.is_symlink())


def pack(s3: LocalS3, folders: Iterable[Path], uri: str, scratch: Path) -> None:
    """Upload one tar.gz of several hosts' folders. Of two files of one name, the first host's is taken.

    The same files give the same bytes: no times, no owners.
    """
    seen: set[str] = set()
    with (
        scratch.open("wb") as raw,
        gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for folder in folders:
            for name, path in files_below(folder):
                if name not in seen:
                    seen.add(name)
                    _add(archive, name, path)
    s3.put_file(uri, scratch, link=True)
    scratch.unlink()


def _add(archive: tarfile.TarFile, name: str, path: Path) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = path.stat().st_size, 0o644
    with path.open("rb") as file:
        archive.addfile(info, file)


def fingerprint(s3: LocalS3, uri: str) -> str | None:
    """Return a digest of the objects at and below an address by key, size and time, or None where there are none.

    It tells a cached step whether its outputs are still the ones it wrote.
    """
    found = [o for o in s3.list(uri) if _below(o, uri)]
    if not found:
        return None
    digest = hashlib.sha256()
    for item in found:
        digest.update(f"{item.key}\0{item.size}\0{item.modified}\n".encode())
    return digest.hexdigest()


def _below(item: S3Object, uri: str) -> bool:
    return item.uri == uri or item.uri.startswith(uri.rstrip("/") + "/")


def clear(folder: Path) -> None:
    """Remove a job's folder of this name, if there is one, and make it anew."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
