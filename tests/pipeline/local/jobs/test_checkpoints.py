from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from pipeline.local.jobs.checkpoints import Checkpoints
from pipeline.local.s3 import LocalS3

CONFIG = {"S3Uri": "s3://bucket/ck", "LocalPath": "/opt/ml/checkpoints"}


@pytest.fixture
def s3(tmp_path: Path) -> LocalS3:
    s3 = LocalS3(tmp_path / "s3")
    s3.put_bytes("s3://bucket/ck/run/old", b"old")
    return s3


def host(s3: LocalS3, base: Path) -> Checkpoints:
    checkpoints = Checkpoints(s3, CONFIG, base)
    checkpoints.download()
    return checkpoints


def keys(s3: LocalS3) -> list[str]:
    return [o.key.removeprefix("ck/") for o in s3.list("s3://bucket/ck/")]


def test_what_an_earlier_run_left_can_be_written_over_without_touching_s3(s3: LocalS3, tmp_path: Path) -> None:
    checkpoints = host(s3, tmp_path / "1")
    (checkpoints.folder / "run" / "old").write_bytes(b"changed")
    assert s3.read_bytes("s3://bucket/ck/run/old") == b"old"
    checkpoints.upload()
    assert s3.read_bytes("s3://bucket/ck/run/old") == b"changed"


def test_new_files_go_up_and_deletes_are_mirrored(s3: LocalS3, tmp_path: Path) -> None:
    checkpoints = host(s3, tmp_path / "1")
    (checkpoints.folder / "new").write_bytes(b"")
    (checkpoints.folder / "run" / "old").unlink()
    checkpoints.upload()
    assert keys(s3) == ["new"]


def test_a_host_leaves_alone_what_others_write_to_the_shared_prefix(s3: LocalS3, tmp_path: Path) -> None:
    one, two = host(s3, tmp_path / "1"), host(s3, tmp_path / "2")
    (one.folder / "run" / "old").unlink()
    (one.folder / "new").write_bytes(b"1")
    one.upload()
    two.upload()
    assert keys(s3) == ["new"]


def test_a_file_that_is_being_written_waits(s3: LocalS3, tmp_path: Path) -> None:
    checkpoints = host(s3, tmp_path / "1")
    (checkpoints.folder / "fresh").write_bytes(b"1")
    checkpoints.upload(settle_seconds=60)
    assert keys(s3) == ["run/old"]
    checkpoints.upload()
    assert keys(s3) == ["fresh", "run/old"]


def test_recovery_sends_what_is_newer_and_deletes_nothing(s3: LocalS3, tmp_path: Path) -> None:
    folder = host(s3, tmp_path / "1").folder
    (folder / "unsent").write_bytes(b"1")
    s3.put_bytes("s3://bucket/ck/run/of-another-job", b"2")
    s3.put_bytes("s3://bucket/ck/run/old", b"gone on since")
    ahead = time.time() + 5
    os.utime(s3.path("s3://bucket/ck/run/old"), (ahead, ahead))
    Checkpoints(s3, CONFIG, tmp_path / "1").recover()
    assert keys(s3) == ["run/of-another-job", "run/old", "unsent"]
    assert s3.read_bytes("s3://bucket/ck/run/old") == b"gone on since"
