"""A training job's checkpoints, kept equal to their S3 prefix while it runs."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.local.failures import StepError
from pipeline.local.jobs.inputs import relative_name
from pipeline.local.jobs.outputs import join
from pipeline.local.s3 import LocalS3, safe_parts, split_uri

DEFAULT_PATH = "/opt/ml/checkpoints"


class Checkpoints:
    """One host's checkpoint folder. All hosts of a job share the prefix, as on the service."""

    def __init__(self, s3: LocalS3, config: Mapping[str, Any], base: Path) -> None:
        self._s3 = s3
        self._uri = config["S3Uri"].rstrip("/") + "/"
        path = Path(config.get("LocalPath", DEFAULT_PATH))
        if not path.is_relative_to("/opt/ml") or ".." in path.parts:
            raise StepError(f"ClientError: CheckpointConfig: LocalPath {path} must lie under /opt/ml")
        self.folder = base / path.relative_to("/opt/ml")
        self._known: dict[str, tuple[int, int]] = {}

    def download(self) -> None:
        """Fetch what an earlier run left; the job may write over it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        _, prefix = split_uri(self._uri)
        for found in self._s3.list(self._uri):
            target = self.folder.joinpath(*safe_parts(relative_name(found.key, prefix)))
            self._s3.download(found, target, writable=True)
        self._known = self._scan()

    def upload(self, *, settle_seconds: float = 0.0) -> None:
        """Send what is new or changed since the last call, and delete what the job has deleted.

        Files written to within the last `settle_seconds` wait for another call: they may be half written.
        """
        now = self._scan()
        newest = time.time_ns() - int(settle_seconds * 1e9)
        for name, state in now.items():
            if self._known.get(name) != state and state[1] <= newest:
                self._send(name)
                self._known[name] = state
        for name in self._known.keys() - now.keys():
            self._s3.delete(join(self._uri, name))
            del self._known[name]

    def recover(self) -> None:
        """Send what a job whose engine was killed had not yet sent.

        Only what is newer than the prefix, and no deletes: other jobs may share it, and have gone on since.
        """
        _, prefix = split_uri(self._uri)
        sent = {relative_name(found.key, prefix): found.modified for found in self._s3.list(self._uri)}
        for name, (_, modified) in self._scan().items():
            if modified > sent.get(name, 0):
                self._send(name)

    def _send(self, name: str) -> None:
        with contextlib.suppress(FileNotFoundError):  # the job has just deleted it: the next call sees that
            self._s3.put_file(join(self._uri, name), self.folder / name)

    def _scan(self) -> dict[str, tuple[int, int]]:
        states = {}
        for path in self.folder.rglob("*"):
            try:
                if path.is_file() and not path.is_symlink():
                    status = path.stat()
                    states[path.relative_to(self.folder).as_posix()] = (status.st_size, status.st_mtime_ns)
            except FileNotFoundError:
                continue
        return states
