from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from pipeline.local.failures import StepError
from pipeline.local.jobs.outputs import fingerprint, pack, upload
from pipeline.local.s3 import LocalS3


@pytest.fixture
def s3(tmp_path: Path) -> LocalS3:
    return LocalS3(tmp_path / "s3")


def folder(path: Path, **files: str) -> Path:
    path.mkdir(parents=True)
    for name, text in files.items():
        (path / name).write_text(text)
    return path


def test_a_folder_is_uploaded_without_copying(s3: LocalS3, tmp_path: Path) -> None:
    out = folder(tmp_path / "out", a="1")
    folder(out / "deep", b="2")
    (out / "inside").symlink_to(out / "a")
    upload(s3, out, "s3://bucket/x/")
    assert [o.key for o in s3.list("s3://bucket/")] == ["x/a", "x/deep/b", "x/inside"]
    assert s3.path("s3://bucket/x/a").samefile(out / "a")
    assert not s3.path("s3://bucket/x/inside").is_symlink()


def test_a_link_out_of_the_folder_is_refused(s3: LocalS3, tmp_path: Path) -> None:
    out = folder(tmp_path / "out")
    (tmp_path / "secret").write_text("")
    (out / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(StepError, match="link to outside"):
        upload(s3, out, "s3://bucket/x")
    with pytest.raises(StepError, match="link to outside"):
        pack(s3, [out], "s3://bucket/x.tar.gz", tmp_path / "scratch")


def test_an_archive_holds_all_hosts_files_the_first_hosts_first(s3: LocalS3, tmp_path: Path) -> None:
    hosts = [folder(tmp_path / "1", both="first", one="1"), folder(tmp_path / "2", both="second", two="2")]
    pack(s3, hosts, "s3://bucket/model.tar.gz", tmp_path / "scratch")
    with tarfile.open(s3.path("s3://bucket/model.tar.gz")) as archive:
        members = {m.name: archive.extractfile(m).read() for m in archive.getmembers()}  # type: ignore[union-attr]
    assert members == {"both": b"first", "one": b"1", "two": b"2"}


def test_the_same_files_give_the_same_archive(s3: LocalS3, tmp_path: Path) -> None:
    for name in ("a", "b"):
        pack(s3, [folder(tmp_path / name, model="weights")], f"s3://bucket/{name}", tmp_path / f"scratch-{name}")
    assert s3.read_bytes("s3://bucket/a") == s3.read_bytes("s3://bucket/b")


def test_a_fingerprint_changes_with_what_is_below_the_address_and_nothing_else(s3: LocalS3) -> None:
    assert fingerprint(s3, "s3://bucket/out") is None
    s3.put_bytes("s3://bucket/out/a", b"1")
    before = fingerprint(s3, "s3://bucket/out")
    s3.put_bytes("s3://bucket/output", b"a neighbour")
    assert fingerprint(s3, "s3://bucket/out") == fingerprint(s3, "s3://bucket/out/") == before
    s3.put_bytes("s3://bucket/out/b", b"2")
    assert fingerprint(s3, "s3://bucket/out") != before
    assert fingerprint(s3, "s3://bucket/out/a") is not None
