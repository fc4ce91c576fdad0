from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.local.s3 import LocalS3, S3Error, safe_parts, split_uri


@pytest.fixture
def s3(tmp_path: Path) -> LocalS3:
    return LocalS3(tmp_path / "s3")


@pytest.mark.parametrize(
    "uri",
    ["", "bucket/key", "http://bucket/key", "s3:///key", "s3://Bucket/key", "s3://../key", "s3://a..b/key", "s3://a/b"],
)
def test_what_is_no_address_is_refused(uri: str) -> None:
    with pytest.raises(S3Error):
        split_uri(uri)


@pytest.mark.parametrize(
    "key", ["", "/a", "a/", "a//b", ".", "..", "a/../b", "../../etc/passwd", "a/./b", "a\0b", "a" * 1025]
)
def test_a_key_that_could_leave_its_folder_is_refused(s3: LocalS3, key: str) -> None:
    with pytest.raises(S3Error):
        s3.put_bytes(f"s3://bucket/{key}", b"")
    assert not [path for path in s3.root.rglob("*") if path.is_file()]


@given(st.text(max_size=40))
def test_a_safe_key_stays_inside(key: str) -> None:
    try:
        parts = safe_parts(key)
    except S3Error:
        return
    root = "/srv/bucket"
    assert os.path.normpath("/".join([root, *parts])) == f"{root}/{key}"


def test_objects_are_put_read_found_and_deleted(s3: LocalS3, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"two")
    assert s3.put_bytes("s3://bucket/a/one", b"one").size == 3
    s3.put_file("s3://bucket/a/b/two", tmp_path / "file")
    assert s3.read_bytes("s3://bucket/a/b/two") == b"two"
    assert s3.find("s3://bucket/a/b") is None
    assert s3.delete("s3://bucket/a/b/two")
    assert not s3.delete("s3://bucket/a/b/two")
    s3.put_bytes("s3://bucket/a/b", b"an object where the folder was")
    with pytest.raises(S3Error, match="there is no object s3://bucket/gone"):
        s3.read_bytes("s3://bucket/gone")


def test_an_object_and_a_folder_of_one_name_cannot_both_be(s3: LocalS3) -> None:
    s3.put_bytes("s3://bucket/a", b"")
    with pytest.raises(S3Error, match="same name"):
        s3.put_bytes("s3://bucket/a/b", b"")
    s3.put_bytes("s3://bucket/c/d", b"")
    with pytest.raises(S3Error, match="same name"):
        s3.put_bytes("s3://bucket/c", b"")


def test_a_prefix_matches_characters_and_the_order_is_that_of_bytes(s3: LocalS3) -> None:
    for key in ("train/b", "train/a/x", "train/a.txt", "training.csv", "test/a", "é", "z"):
        s3.put_bytes(f"s3://bucket/{key}", b"")
    assert [o.key for o in s3.list("s3://bucket/train")] == ["train/a.txt", "train/a/x", "train/b", "training.csv"]
    assert [o.key for o in s3.list("s3://bucket/train/")] == ["train/a.txt", "train/a/x", "train/b"]
    assert [o.key for o in s3.list("s3://bucket/train/a")] == ["train/a.txt", "train/a/x"]
    assert [o.key for o in s3.list("s3://bucket")][-2:] == ["z", "é"]
    assert s3.list("s3://bucket/../other") == s3.list("s3://nowhere/x") == s3.list("s3://bucket/z/") == []


def test_a_put_that_fails_changes_nothing_and_leaves_nothing(s3: LocalS3, tmp_path: Path) -> None:
    s3.put_bytes("s3://bucket/a", b"old")
    with pytest.raises(FileNotFoundError):
        s3.put_file("s3://bucket/a", tmp_path / "gone")
    assert s3.read_bytes("s3://bucket/a") == b"old"
    assert [path.name for path in s3.root.rglob("*") if path.is_file()] == ["a"]


def test_a_download_is_a_link_that_later_puts_do_not_change(s3: LocalS3, tmp_path: Path) -> None:
    source = s3.put_bytes("s3://bucket/a", b"old")
    target = tmp_path / "job" / "a"
    s3.download(source, target)
    assert target.samefile(source.path)
    assert target.stat().st_mode & 0o222 == 0
    s3.put_bytes("s3://bucket/a", b"new")
    assert target.read_bytes() == b"old"


def test_a_download_over_another_objects_link_leaves_that_object(s3: LocalS3, tmp_path: Path) -> None:
    one, two = s3.put_bytes("s3://bucket/a", b"one"), s3.put_bytes("s3://bucket/b", b"two")
    s3.download(one, tmp_path / "file")
    s3.download(two, tmp_path / "file", writable=True)
    (tmp_path / "file").write_bytes(b"written by the job")
    assert (s3.read_bytes(one.uri), s3.read_bytes(two.uri)) == (b"one", b"two")


def test_a_copied_put_leaves_the_source_writable_and_apart(s3: LocalS3, tmp_path: Path) -> None:
    source = tmp_path / "checkpoint"
    source.write_bytes(b"one")
    put = s3.put_file("s3://bucket/a", source)
    source.write_bytes(b"two")
    assert put.path.read_bytes() == b"one"
    assert s3.put_file("s3://bucket/b", source, link=True).path.samefile(source)
