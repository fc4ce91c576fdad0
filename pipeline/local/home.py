"""Where everything local lives: one folder with the state, the S3 buckets and the jobs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ADVICE = "set BINCOUNT_HOME to a folder that can be written, on a disk with room"


@dataclass(frozen=True)
class Home:
    """The folder of the local AWS account: `BINCOUNT_HOME`, else `.bincount` where the command was typed."""

    root: Path

    @classmethod
    def find(cls) -> Home:
        """Return the home that the environment names."""
        return cls(Path(os.environ.get("BINCOUNT_HOME") or ".bincount").resolve())

    @property
    def database(self) -> Path:
        """Executions, steps, jobs and model packages (SQLite)."""
        return self.root / "state.db"

    @property
    def s3(self) -> Path:
        """One folder a bucket; an object is a file at its key."""
        return self.root / "s3"

    @property
    def jobs(self) -> Path:
        """One folder a job: its `/opt/ml` tree and its log."""
        return self.root / "jobs"
