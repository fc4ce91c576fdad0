"""Unpacking a model artifact, which may be anybody's."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

from pipeline.local.endpoints.plan import DeploymentError

MAX_BYTES = 30 * 2**30  # what an instance's volume holds unless the variant says otherwise
MAX_MEMBERS = 10_000
MAX_DEPTH = 100  # folders in folders: shutil.rmtree calls itself for each, and Python bears no more than 1000 calls


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a model.tar.gz into a folder of its own. Raises DeploymentError for one that is broken or unsafe.

    Nothing is written outside the folder, no device, no foreign owner, no set-user-id bit (tarfile's data filter).
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(folder, _within_limits(tar), filter="data")
    except DeploymentError:
        raise
    except Exception as error:  # a hostile archive makes tarfile raise nearly anything, zlib.error and EOFError too
        raise DeploymentError(f"the model data cannot be unpacked: {_one_line(error)}") from None


def _within_limits(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    size = 0
    for count, member in enumerate(tar, 1):
        size += max(member.size, 0)
        if count > MAX_MEMBERS or size > MAX_BYTES:
            raise DeploymentError(f"the model data holds more than {MAX_MEMBERS} files or {MAX_BYTES >> 30} GiB")
        if member.name.count("/") > MAX_DEPTH:
            raise DeploymentError(f"the model data holds folders more than {MAX_DEPTH} deep")
        yield member


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
