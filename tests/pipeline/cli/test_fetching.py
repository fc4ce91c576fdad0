from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from pipeline.aws import inspection
from pipeline.aws.public_bins import PublicBins
from tests.public_bins import BUCKET, fill, photo, record

if TYPE_CHECKING:
    from tests.pipeline.cli.conftest import Called

Call = Callable[..., "Called"]
LISTED = {"00004": 1, "00710": 2, "1021": 3, "01021": 4, "100313": 5}


@pytest.fixture(autouse=True)
def bucket(home: Path, moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the client of an account beside the public bucket; the local account is empty."""
    monkeypatch.setattr(inspection, "connect", lambda: moto_session)
    client: Any = moto_session.client("s3")
    fill(client, LISTED)
    client.create_bucket(Bucket="bincount-mine")
    return client


@pytest.fixture
def file_list() -> str:
    listed = {"1": ["data/metadata/4.json"], "2": ["data/metadata/00710.json"], "5": ["data/metadata/77.json"]}
    Path("list.json").write_text(json.dumps(listed))
    return "list.json"


def test_a_fetched_folder_is_a_data_uri(call: Call, file_list: str) -> None:
    done = call("data", "fetch", "abid", "--ids", file_list)
    assert (done.code, done.out) == (0, "abid\n")
    assert "2 photos fetched" in done.err
    assert "1 are spelled otherwise in the bucket: 4" in done.err
    assert "1 of 3 photos cannot be had, 77 (record: not there): abid/missing.txt says which and why" in done.err
    assert Path("abid/missing.txt").read_text() == "77\trecord: not there\n"
    imported = call("data", "import", "abid")
    assert imported.code == 0
    assert "2 photos, 3 labels" in imported.err
    assert "1 labels have no photo: 77" in imported.err


def test_a_second_fetch_takes_what_is_new(call: Call, file_list: str, bucket: Any) -> None:
    call("data", "fetch", "abid", "--ids", file_list, "--limit", 1)
    assert [path.name for path in Path("abid/bin-images").iterdir()] == ["4.jpg"]
    bucket.put_object(Bucket=BUCKET, Key="bin-images/77.jpg", Body=photo("77"), ACL="public-read")
    bucket.put_object(Bucket=BUCKET, Key="metadata/77.json", Body=record(5), ACL="public-read")
    again = call("data", "fetch", "abid", "--ids", file_list)
    assert "2 photos fetched" in again.err
    assert "1 were there" in again.err
    assert not Path("abid/missing.txt").exists()


def test_too_many_missing_fail_but_only_where_asked(call: Call, file_list: str) -> None:
    refused = call("data", "fetch", "abid", "--ids", file_list, "--max-missing", 0.2)
    assert refused.code == 1
    assert "1 of 3 photos cannot be had, more than --max-missing 0.2" in refused.err
    assert len(list(Path("abid/bin-images").iterdir())) == 2
    assert call("data", "fetch", "abid", "--ids", file_list, "--max-missing", 0.4).code == 0


def test_all_says_how_much_there_is_first(call: Call, bucket: Any) -> None:
    bucket.put_object(Bucket=BUCKET, Key="bin-images/8.jpg", Body=b"?", ACL="public-read")
    done = call("data", "fetch", "abid", "--all")
    assert done.code == 0
    assert done.err.startswith("5 photos, 0.0 GB: about 0 s at 100 Mbit/s")
    assert "1 of 6 photos cannot be had, 8 (no record)" in done.err
    assert {path.stem for path in Path("abid/bin-images").iterdir()} == LISTED.keys()
    assert not Path("abid/metadata/file_list.json").exists()


def test_a_bucket_of_either_account_takes_them(call: Call, file_list: str, bucket: Any, home: Path) -> None:
    done = call("data", "fetch", "s3://bincount-mine/data/abid/", "--ids", file_list, "--target", "aws")
    assert (done.code, done.out) == (0, "s3://bincount-mine/data/abid\n")
    keys = [one["Key"] for one in bucket.list_objects_v2(Bucket="bincount-mine")["Contents"]]
    assert keys == [
        f"data/abid/{name}"
        for name in ("bin-images/00710.jpg", "bin-images/4.jpg", "metadata/00710.json", "metadata/4.json")
    ] + ["data/abid/metadata/file_list.json", "data/abid/missing.txt"]
    assert call("data", "fetch", "s3://bincount-local/abid", "--ids", file_list).code == 0
    assert (home / "s3/bincount-local/abid/bin-images/4.jpg").read_bytes() == photo("00004")


def test_manifests_name_what_is_there_as_it_is_spelled_there(call: Call, file_list: str, bucket: Any) -> None:
    done = call("data", "manifest", "s3://bincount-mine/data/m", "--ids", file_list, "--target", "aws")
    assert done.code == 0
    where = done.out.strip()
    assert where.startswith("s3://bincount-mine/data/m/")
    assert f"2 photos: --set split.data_type=ManifestFile -p DataUri={where}" in done.err
    assert "1 of 3 photos cannot be had" in done.err

    def read(name: str) -> Any:
        key = f"{where.removeprefix('s3://bincount-mine/')}/{name}"
        return json.loads(bucket.get_object(Bucket="bincount-mine", Key=key)["Body"].read())

    assert read("photos.manifest") == [{"prefix": f"s3://{BUCKET}/bin-images/"}, "00004.jpg", "00710.jpg"]
    assert read("labels.manifest") == [{"prefix": f"s3://{BUCKET}/metadata/"}, "00004.json", "00710.json"]
    assert call("data", "manifest", "s3://bincount-mine/data/m", "--ids", file_list, "--target", "aws").out == done.out


def test_manifests_of_all_come_from_the_listing(call: Call, bucket: Any) -> None:
    bucket.delete_object(Bucket=BUCKET, Key="metadata/1021.json")
    done = call("data", "manifest", "out", "--all")
    assert done.code == 0
    assert "1 of 5 photos cannot be had, 1021 (no record)" in done.err
    names = json.loads(Path(done.out.strip(), "photos.manifest").read_text())[1:]
    assert names == ["00004.jpg", "00710.jpg", "01021.jpg", "100313.jpg"]


def test_one_must_say_which(call: Call, file_list: str) -> None:
    for arguments in ((), ("--all", "--ids", file_list)):
        for verb in ("fetch", "manifest"):
            refused = call("data", verb, "out", *arguments)
            assert refused.code == 1
            assert "say which photos: --ids" in refused.err
    assert not Path("out").exists()


def test_labels_are_neither_written_over_nor_mixed(call: Call, file_list: str) -> None:
    call("data", "fetch", "abid", "--ids", file_list)
    own = call("data", "fetch", "abid", "--ids", "abid/metadata/file_list.json", "--limit", 1)
    assert "would be written over" in own.err
    refused = call("data", "fetch", "abid", "--all")
    assert refused.code == 1
    assert "there is a metadata/file_list.json already" in refused.err


def test_nothing_at_all_is_an_error(call: Call, moto_session: boto3.Session) -> None:
    Path("ids").write_text("55\n66\n")
    done = call("data", "fetch", "abid", "--ids", "ids")
    assert done.code == 1
    assert "none of 2 photos can be had; " in done.err
    assert "for one: record: not there" in done.err
    assert done.err.count("error:") == 1


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (KeyboardInterrupt(), 130, "stopped after at least 0 of 3: the same command goes on from there"),
        (
            OSError(28, "No space left on device", "abid/x"),
            1,
            "No space left on device: abid/x (after at least 0 of 3)",
        ),
    ],
)
def test_what_ends_it_is_one_line(
    call: Call, file_list: str, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    def fail(error: BaseException) -> object:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr("pipeline.aws.fetching.fetch", lambda *_: map(fail, [error]))
        ended = call("data", "fetch", "abid", "--ids", file_list)
    assert ended.code == code
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert call("data", "fetch", "abid", "--ids", file_list).code == 0


def test_an_empty_listing_is_told_from_an_empty_bucket(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PublicBins, "listing", lambda _self, _folder: iter([{}]))
    assert "the public bucket lists no photo" in call("data", "fetch", "abid", "--all").err
