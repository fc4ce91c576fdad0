from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import boto3
import pytest

from pipeline.aws import objects
from pipeline.aws.objects import Uploaded
from pipeline.errors import UserError

URI = "s3://bincount-local/data"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("bin-images/1.jpg", "bin-images/a b/ü.png", "labels.csv"):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "data"


def test_a_folder_goes_up_with_progress(session: boto3.Session, folder: Path) -> None:
    progress: list[tuple[int, int]] = []
    went = objects.upload_folder(session, folder, f"{URI}/", lambda done, all_: progress.append((done, all_)))
    assert went == Uploaded(sent=3, skipped=0)
    assert progress == [(1, 3), (2, 3), (3, 3)]
    assert objects.keys(session, URI) == ["data/bin-images/1.jpg", "data/bin-images/a b/ü.png", "data/labels.csv"]
    assert objects.read_text(session, f"{URI}/bin-images/a b/ü.png") == "bin-images/a b/ü.png"


def test_only_what_changed_goes_up_again(session: boto3.Session, folder: Path) -> None:
    objects.upload_folder(session, folder, URI)
    assert objects.upload_folder(session, folder, URI) == Uploaded(sent=0, skipped=3)
    (folder / "labels.csv").write_text("longer than before")
    newer = (folder / "bin-images" / "1.jpg").stat().st_mtime + 3600
    os.utime(folder / "bin-images" / "1.jpg", (newer, newer))
    assert objects.upload_folder(session, folder, URI) == Uploaded(sent=2, skipped=1)
    assert objects.read_text(session, f"{URI}/labels.csv") == "longer than before"


def test_files_go_up_and_down(session: boto3.Session, tmp_path: Path, folder: Path) -> None:
    objects.upload(session, folder / "labels.csv", f"{URI}/l.csv")
    target = objects.download(session, f"{URI}/l.csv", tmp_path / "new" / "l.csv")
    assert target.read_bytes() == b"labels.csv"


def test_a_download_that_fails_leaves_no_file(session: boto3.Session, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no object s3://bincount-local/data/missing"):
        objects.download(session, f"{URI}/missing", tmp_path / "missing")
    assert list(tmp_path.glob("missing*")) == []


@pytest.mark.parametrize("uri", ["bucket/key", "https://bucket/key", "s3://", "s3:///key"])
def test_an_address_that_is_none_is_refused(session: boto3.Session, uri: str) -> None:
    with pytest.raises(UserError, match="is no S3 address"):
        objects.read_text(session, uri)


def test_bytes_that_are_no_text_are_refused(session: boto3.Session, s3: Any) -> None:
    s3.put_object(Bucket="bincount-local", Key="data/x", Body=b"\xff")
    with pytest.raises(UserError, match="data/x is no text"):
        objects.read_text(session, f"{URI}/x")


def test_errors_are_one_line(session: boto3.Session, tmp_path: Path) -> None:
    calls: dict[str, Any] = {
        "there is no object s3://bincount-local/data/missing": lambda: objects.read_text(session, f"{URI}/missing"),
        "bucket does not exist: nowhere-at-all": lambda: objects.keys(session, "s3://nowhere-at-all/x"),
        "is no folder": lambda: objects.upload_folder(session, tmp_path / "none", URI),
        "^The specified bucket does not exist: nowhere-at-all$": lambda: objects.upload(
            session, Path(__file__), "s3://nowhere-at-all/x"
        ),
    }
    for message, call in calls.items():
        with pytest.raises(UserError, match=message):
            call()
