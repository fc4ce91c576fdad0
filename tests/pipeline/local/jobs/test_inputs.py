from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.local.failures import StepError
from pipeline.local.jobs.inputs import Input, for_host, place, relative_name
from pipeline.local.s3 import LocalS3


@pytest.fixture
def s3(tmp_path: Path) -> LocalS3:
    s3 = LocalS3(tmp_path / "s3")
    for key in ("data/a", "data/b", "data/deep/c", "data/d", "data2/e"):
        s3.put_bytes(f"s3://bucket/{key}", key.encode())
    return s3


def source(uri: str, **more: Any) -> Input:
    return Input.parse("x", "folder", {"S3Uri": uri, **more})


def names(s3: LocalS3, input: Input, host: int = 0, hosts: int = 1) -> list[str]:
    return [file.name for file in for_host(s3, input, host, hosts)]


@pytest.mark.parametrize(
    ("key", "prefix", "name"),
    [
        ("data/a", "data/", "a"),
        ("data/a", "data", "a"),
        ("data/deep/c", "data", "deep/c"),
        ("data/part-7.csv", "data/part-", "part-7.csv"),
        ("data2/e", "data", "data2/e"),
        ("models/x/model.tar.gz", "models/x/model.tar.gz", "model.tar.gz"),
        ("top", "", "top"),
    ],
)
def test_objects_are_named_below_their_prefix(key: str, prefix: str, name: str) -> None:
    assert relative_name(key, prefix) == name


def test_a_prefix_gives_every_object_to_every_host(s3: LocalS3) -> None:
    input = source("s3://bucket/data/")
    assert names(s3, input, 0, 2) == names(s3, input, 1, 2) == ["a", "b", "d", "deep/c"]
    assert names(s3, source("s3://bucket/data/b")) == ["b"]
    assert len(names(s3, source("s3://bucket/data"))) == 5  # characters, not folders


@given(hosts=st.integers(1, 7))
def test_shards_are_whole_objects_each_once(tmp_path_factory: pytest.TempPathFactory, hosts: int) -> None:
    s3 = LocalS3(tmp_path_factory.mktemp("s3"))
    for number in range(5):
        s3.put_bytes(f"s3://bucket/{number}", b"")
    input = source("s3://bucket/", S3DataDistributionType="ShardedByS3Key")
    shards = [names(s3, input, host, hosts) for host in range(hosts)]
    assert sorted(name for shard in shards for name in shard) == ["0", "1", "2", "3", "4"]
    assert max(map(len, shards)) - min(map(len, shards)) <= 1


def test_a_manifest_names_its_objects(s3: LocalS3) -> None:
    manifest = [{"prefix": "s3://bucket/data/"}, "deep/c", "a"]
    s3.put_bytes("s3://bucket/manifest", json.dumps(manifest).encode())
    input = source("s3://bucket/manifest", S3DataType="ManifestFile")
    assert names(s3, input) == ["deep/c", "a"]


@pytest.mark.parametrize(
    "manifest",
    [
        b"{",
        b"{}",
        b"[]",
        b'["a"]',
        b'[{"prefix": "s3://bucket/data/"}, "gone"]',
        b'[{"prefix": "s3://bucket/data/"}, "../data2/e"]',
        b'[{"prefix": "s3://bucket/"}, 1]',
        b'[{"prefix": "s3://bucket/data"}, "/a"]',  # an object that is there, under a name that is no file's
        b'[{"prefix": "s3://bucket/data/deep/"}, "../a"]',
        b'[{"prefix": "/etc/"}, "passwd"]',
        b'[{"prefix": "s3://bucket/data/"}, "a", "a"]',
        b'[{"prefix": "s3://bucket/data/"}, {"prefix": "s3://bucket/"}, "a"]',
        b"[" * 100_000,
    ],
)
def test_a_manifest_that_cannot_be_used_is_refused(s3: LocalS3, manifest: bytes) -> None:
    s3.put_bytes("s3://bucket/manifest", manifest)
    with pytest.raises(StepError, match="ClientError: input x"):
        names(s3, source("s3://bucket/manifest", S3DataType="ManifestFile"))


@pytest.mark.parametrize("uri", ["s3://bucket/gone/", "s3://nowhere/x", "file:///etc/passwd", "/etc"])
def test_no_data_and_no_address_are_one_clear_line(s3: LocalS3, uri: str) -> None:
    with pytest.raises(StepError, match="ClientError"):
        names(s3, source(uri))


@pytest.mark.parametrize("more", [{"S3InputMode": "Pipe"}, {"S3DataType": "AugmentedManifestFile"}])
def test_what_only_the_service_can_do_is_refused(more: dict[str, str]) -> None:
    with pytest.raises(StepError, match="does not run on this machine"):
        source("s3://bucket/x", **more)


def test_files_are_placed_in_their_folders(s3: LocalS3, tmp_path: Path) -> None:
    place(s3, for_host(s3, source("s3://bucket/data/"), 0, 1), tmp_path / "in")
    assert (tmp_path / "in" / "deep" / "c").read_text() == "data/deep/c"


def test_a_manifest_of_nothing_is_no_data(s3: LocalS3) -> None:
    s3.put_bytes("s3://bucket/manifest", b'[{"prefix": "s3://bucket/data/"}]')
    with pytest.raises(StepError, match="no objects at s3://bucket/manifest"):
        names(s3, source("s3://bucket/manifest", S3DataType="ManifestFile"))


def test_a_manifest_is_shared_among_hosts_or_goes_to_all(s3: LocalS3, tmp_path: Path) -> None:
    manifest = [{"prefix": "s3://bucket/da"}, "ta/a", "ta/b", "ta/deep/c"]
    s3.put_bytes("s3://bucket/manifest", json.dumps(manifest).encode())
    sharded = source("s3://bucket/manifest", S3DataType="ManifestFile", S3DataDistributionType="ShardedByS3Key")
    assert [names(s3, sharded, host, 2) for host in range(2)] == [["ta/a", "ta/deep/c"], ["ta/b"]]
    whole = source("s3://bucket/manifest", S3DataType="ManifestFile")
    assert names(s3, whole, 0, 2) == names(s3, whole, 1, 2) == ["ta/a", "ta/b", "ta/deep/c"]
    place(s3, for_host(s3, whole, 0, 1), tmp_path / "in")
    assert (tmp_path / "in" / "ta" / "deep" / "c").read_text() == "data/deep/c"
