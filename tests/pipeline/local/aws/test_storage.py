from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.local import aws
from pipeline.local.aws.storage import keys
from pipeline.local.home import Home

BUCKET = "bincount-local"
NAME = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=12).filter(
    lambda name: name not in {".", ".."}
)
KEY = st.lists(NAME, min_size=1, max_size=4).map("/".join)


@pytest.fixture(scope="module")
def shared() -> Any:
    """Return one account for all the examples of a test: each of them cleans up."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        yield home, aws.session(home).client("s3")


@settings(max_examples=60, deadline=None)
@given(KEY)
@example("a b/ü/日本 %2F+&?#.jpg")
@example("-/~/$HOME/*")
def test_any_key_that_files_can_hold_comes_back(shared: tuple[Home, Any], key: str) -> None:
    home, s3 = shared
    s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    try:
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode()
        assert [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix=key[:2])["Contents"]] == [key]
        assert (home.s3 / BUCKET / key).is_file()
    finally:
        s3.delete_object(Bucket=BUCKET, Key=key)
    assert list((home.s3 / BUCKET).iterdir()) == []


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(["..", ".", "", "a", "/", "\0", "x" * 256]), min_size=1, max_size=5)
    .map("/".join)
    .filter(lambda key: not set(key.split("/")) <= {"a"})
)
@example("../../../../etc/passwd")
@example("a/../../outside")
@example("/etc/passwd")
def test_no_key_leaves_its_bucket(shared: tuple[Home, Any], key: str) -> None:
    home, s3 = shared
    before = {path for path in home.root.parent.rglob("*") if path.name != "state.db"}
    calls: list[Callable[[], object]] = [
        lambda: s3.put_object(Bucket=BUCKET, Key=key, Body=b"x"),
        lambda: s3.delete_object(Bucket=BUCKET, Key=key),
        lambda: s3.get_object(Bucket=BUCKET, Key=key),
        lambda: s3.copy_object(Bucket=BUCKET, Key="fine", CopySource={"Bucket": BUCKET, "Key": key}),
    ]
    for call in calls:
        with pytest.raises(Exception, match=r"cannot keep the key|Invalid length|too long|CopySource"):
            call()
    assert {path for path in home.root.parent.rglob("*") if path.name != "state.db"} == before


@pytest.mark.parametrize("bucket", ["..", "a", "UPPER", "a..b", ".unfinished", "x" * 64])
def test_no_bucket_leaves_the_folder_of_buckets(session: boto3.Session, bucket: str) -> None:
    s3: Any = session.client("s3")
    with pytest.raises(Exception, match=r"InvalidBucketName|Invalid bucket name|not valid"):
        s3.create_bucket(Bucket=bucket)


@settings(max_examples=40, deadline=None)
@given(st.sets(st.lists(st.sampled_from(["a", "b", "a-", "a!", "ä", "Z"]), min_size=1, max_size=3).map("/".join)))
def test_keys_come_in_the_order_of_utf8(names: set[str]) -> None:
    # No key may be the folder of another.
    wanted = {name for name in names if not any(other.startswith(name + "/") for other in names)}
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted:
            (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(folder) / name).touch()
        in_order = sorted(wanted, key=str.encode)
        assert [key for key, _ in keys(Path(folder))] == in_order
        for index, name in enumerate(in_order):
            assert [key for key, _ in keys(Path(folder), after=name)] == in_order[index + 1 :]
            prefix = name[:2]
            assert [key for key, _ in keys(Path(folder), prefix=prefix)] == [
                n for n in in_order if n.startswith(prefix)
            ]


def test_an_object_cannot_be_a_folder_too(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="a/b", Body=b"1")
    for key in ("a", "a/b/c"):
        with pytest.raises(ClientError, match=r"cannot both be") as caught:
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"2")
        assert caught.value.response["Error"]["Code"] == "InvalidArgument"
    s3.delete_object(Bucket=BUCKET, Key="a/b")
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"3")
