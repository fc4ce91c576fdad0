from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

BUCKET = "bincount-local"
MEGABYTE = 1 << 20


def test_what_is_put_is_got_whole_or_in_part(s3: Any) -> None:
    tag = s3.put_object(Bucket=BUCKET, Key="a/data.json", Body=b"0123456789")["ETag"]
    head = s3.head_object(Bucket=BUCKET, Key="a/data.json")
    assert (head["ETag"], head["ContentLength"], head["ContentType"]) == (tag, 10, "application/json")
    for asked, bytes_ in [("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-2", b"89"), ("bytes=8-99", b"89")]:
        part = s3.get_object(Bucket=BUCKET, Key="a/data.json", Range=asked)
        assert part["Body"].read() == bytes_
        assert part["ContentLength"] == len(bytes_)
    with pytest.raises(ClientError, match="not satisfiable"):
        s3.get_object(Bucket=BUCKET, Key="a/data.json", Range="bytes=10-")
    assert list(s3.get_object(Bucket=BUCKET, Key="a/data.json")["Body"].iter_chunks(4)) == [b"0123", b"4567", b"89"]


def test_the_tag_changes_with_the_object(s3: Any) -> None:
    tags = [s3.put_object(Bucket=BUCKET, Key="a", Body=body)["ETag"] for body in (b"1", b"2", io.BytesIO(b"3"))]
    assert len(set(tags)) == 3
    with pytest.raises(ClientError) as caught:
        s3.get_object(Bucket=BUCKET, Key="a", IfMatch=tags[0])
    assert caught.value.response["Error"]["Code"] == "PreconditionFailed"
    assert s3.get_object(Bucket=BUCKET, Key="a", IfMatch=tags[2])["Body"].read() == b"3"


def test_what_is_missing_is_reported_as_s3_does(s3: Any) -> None:
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=BUCKET, Key="missing")
    with pytest.raises(s3.exceptions.NoSuchBucket):
        s3.put_object(Bucket="no-such-bucket", Key="a", Body=b"")
    calls: list[Callable[[], object]] = [
        lambda: s3.head_object(Bucket=BUCKET, Key="missing"),
        lambda: s3.head_bucket(Bucket="no-such-bucket"),
    ]
    for call in calls:
        with pytest.raises(ClientError) as caught:
            call()
        assert caught.value.response["Error"] == {"Code": "404", "Message": "Not Found"}


@pytest.mark.parametrize("size", [0, 1000, 17 * MEGABYTE])
def test_files_go_up_and_come_down(s3: Any, tmp_path: Path, size: int) -> None:
    source, target = tmp_path / "model.tar.gz", tmp_path / "copy"
    source.write_bytes(bytes(range(251)) * (size // 251) + bytes(size % 251))
    s3.upload_file(str(source), BUCKET, "models/model.tar.gz")
    s3.download_file(BUCKET, "models/model.tar.gz", str(target))
    assert target.read_bytes() == source.read_bytes()


def test_an_upload_that_breaks_off_leaves_the_object_as_it_was(s3: Any, home: Any) -> None:
    class Broken(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise OSError("the disk is gone")

    s3.put_object(Bucket=BUCKET, Key="a", Body=b"old")
    with pytest.raises(OSError, match="the disk is gone"):
        s3.put_object(Bucket=BUCKET, Key="a", Body=Broken())
    assert s3.get_object(Bucket=BUCKET, Key="a")["Body"].read() == b"old"
    assert [path.name for path in home.s3.rglob("*") if path.is_file()] == ["a"]


def test_an_aborted_upload_in_parts_leaves_nothing(s3: Any, home: Any) -> None:
    upload = {"Bucket": BUCKET, "Key": "big"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    tag = s3.upload_part(**upload, PartNumber=1, Body=b"part")["ETag"]
    wrong = {"Parts": [{"PartNumber": 1, "ETag": "other"}]}
    with pytest.raises(ClientError, match="InvalidPart"):
        s3.complete_multipart_upload(**upload, MultipartUpload=wrong)
    s3.abort_multipart_upload(**upload)
    assert [path for path in home.s3.rglob("*") if path.is_file()] == []
    for upload_id in (upload["UploadId"], "../..", "0" * 32):
        parts = {"Parts": [{"PartNumber": 1, "ETag": tag}]}
        with pytest.raises(ClientError, match="NoSuchUpload"):
            s3.complete_multipart_upload(**{**upload, "UploadId": upload_id}, MultipartUpload=parts)


def test_objects_are_copied_and_deleted_together(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="a b/ü", Body=b"1")
    s3.copy_object(Bucket=BUCKET, Key="copy", CopySource={"Bucket": BUCKET, "Key": "a b/ü"})
    assert s3.get_object(Bucket=BUCKET, Key="copy")["Body"].read() == b"1"
    objects = [{"Key": key} for key in ("copy", "a b/ü", "never-there", "bad//key")]
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": objects})
    assert [one["Key"] for one in answer["Deleted"]] == ["copy", "a b/ü", "never-there"]
    assert [(one["Key"], one["Code"]) for one in answer["Errors"]] == [("bad//key", "InvalidArgument")]
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 0


def test_what_files_cannot_keep_is_refused(s3: Any) -> None:
    with pytest.raises(ClientError, match="Metadata is not part of local AWS"):
        s3.put_object(Bucket=BUCKET, Key="a", Body=b"", Metadata={"owner": "me"})
