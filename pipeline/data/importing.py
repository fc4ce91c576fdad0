"""A data set into the local S3, under an address that its content gives: importing twice copies once.

A step's cache looks at addresses, not at contents, so the same address must always mean the same photos.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass

from pipeline.data.selection import Selection
from pipeline.errors import UserError
from pipeline.local.home import ADVICE
from pipeline.local.s3 import LocalS3

PREFIX = "s3://bincount-local/bincount/data"
_DIGITS = 16


@dataclass
class Import:
    """An import under way: iterate over `run`, then read `uri`."""

    selection: Selection
    s3: LocalS3
    uri: str = ""
    copied: int = 0

    @property
    def steps(self) -> int:
        """How often `run` yields: each file is read once for its digest and once for the copy."""
        return 2 * len(self.selection.files)

    def run(self) -> Generator[None]:
        """Digest the files, then copy what is not there. Interrupted, it goes on where it was.

        Raises:
            UserError: a file cannot be read, or the local S3 not be written.
        """
        try:
            for digest in digests(self.selection):
                yield
                self.uri = f"{PREFIX}/{digest}"
            for key, path in self.selection.files.items():
                there = self.s3.find(f"{self.uri}/{key}")
                if there is None or there.size != path.stat().st_size:
                    self.s3.put_file(f"{self.uri}/{key}", path)
                    self.copied += 1
                yield
        except OSError as error:
            # A copy that fails names both files, of which the source comes first.
            if error.filename2 is None and error.filename in map(str, self.selection.files.values()):
                raise UserError(f"cannot read {error.filename}: {error.strerror}") from None
            raise UserError(f"cannot copy to {self.s3.root}: {error.strerror}: {ADVICE}") from None


def digests(selection: Selection) -> Iterator[str]:
    """Yield the digest of the files so far, one a file in the order of keys; the last one names the data set.

    Raises OSError where a file cannot be read.
    """
    whole = hashlib.sha256()
    for key, path in sorted(selection.files.items()):
        whole.update(f"{key}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
        yield whole.hexdigest()[:_DIGITS]
