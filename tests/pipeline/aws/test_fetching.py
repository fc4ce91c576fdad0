from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from pipeline.aws import places
from pipeline.aws.fetching import Outcome, fetch, find_one, in_parallel
from pipeline.aws.places import BucketPlace, FolderPlace
from pipeline.aws.public_bins import PublicBins
from pipeline.data.abid import Item, spellings
from pipeline.errors import UserError
from tests.public_bins import BUCKET, fill, photo, record

LISTED = {"00004": 1, "00710": 2, "1021": 3, "01021": 4, "100313": 5}


@pytest.fixture
def bucket(moto_session: boto3.Session) -> Any:
    client: Any = moto_session.client("s3")
    fill(client, LISTED)
    client.create_bucket(Bucket="mine")
    return client


def items(*ids: str, label: str | None = None) -> list[Item]:
    return [Item(id, spellings(id, ids), label) for id in ids]


def ran(items: list[Item], place: FolderPlace | BucketPlace) -> dict[str, Outcome]:
    return {one.id: one for one in fetch(items, PublicBins(), place)}


def files(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_photos_and_records_come_to_a_folder_once(bucket: Any, tmp_path: Path) -> None:
    first = ran(items(*LISTED), FolderPlace(tmp_path))
    assert all(one.spelled == one.id and one.fault is None for one in first.values())
    assert first["1021"].size == len(photo("1021")) + len(record(3))
    expected = {f"bin-images/{id}.jpg": photo(id) for id in LISTED}
    expected |= {f"metadata/{id}.json": record(quantity) for id, quantity in LISTED.items()}
    assert files(tmp_path) == expected
    assert set(ran(items(*LISTED), FolderPlace(tmp_path)).values()) == {Outcome(id) for id in LISTED}


@pytest.mark.parametrize("harm", ["cut photo", "no record", "cut record", "no photo"])
def test_what_is_not_whole_is_fetched_again(bucket: Any, tmp_path: Path, harm: str) -> None:
    ran(items(*LISTED), FolderPlace(tmp_path))
    before = files(tmp_path)
    path = tmp_path / ("bin-images/00710.jpg" if "photo" in harm else "metadata/00710.json")
    path.write_bytes(path.read_bytes()[:-1]) if "cut" in harm else path.unlink()
    again = ran(items(*LISTED), FolderPlace(tmp_path))
    assert {id for id, one in again.items() if one.spelled} == {"00710"}
    assert files(tmp_path) == before


def test_another_size_than_the_listing_says_is_fetched_again(bucket: Any, tmp_path: Path) -> None:
    ran(items("00710"), FolderPlace(tmp_path))
    right = len(photo("00710"))
    assert ran([Item("00710", ("00710",), None, right)], FolderPlace(tmp_path))["00710"].spelled is None
    assert ran([Item("00710", ("00710",), None, right + 1)], FolderPlace(tmp_path))["00710"].spelled == "00710"


def test_either_spelling_is_taken_under_the_listed_one(bucket: Any, tmp_path: Path) -> None:
    found = ran(items("710", "4", "100313"), FolderPlace(tmp_path))
    assert (found["710"].spelled, found["4"].spelled) == ("00710", "00004")
    assert files(tmp_path)["bin-images/710.jpg"] == photo("00710")
    assert files(tmp_path)["metadata/4.json"] == record(1)


def test_a_photo_never_comes_with_the_record_of_another_spelling(bucket: Any, tmp_path: Path) -> None:
    bucket.delete_object(Bucket=BUCKET, Key="metadata/00710.json")
    bucket.put_object(Bucket=BUCKET, Key="metadata/710.json", Body=record(5), ACL="public-read")
    found = ran(items("00710", "4"), FolderPlace(tmp_path))
    assert found["00710"].fault == "record: not there"
    assert not any("710" in name for name in files(tmp_path))


def test_another_spelling_with_another_count_is_another_bin(bucket: Any, tmp_path: Path) -> None:
    assert ran(items("710", label="2"), FolderPlace(tmp_path))["710"].spelled == "00710"
    assert ran(items("0100313", label="1"), FolderPlace(tmp_path))["0100313"].fault == "record: not there"
    # Its own spelling is taken whatever the list says: labels in lists may be wrong.
    assert ran(items("1021", label="9"), FolderPlace(tmp_path))["1021"].spelled == "1021"


def test_both_spellings_in_a_list_are_both_fetched(bucket: Any, tmp_path: Path) -> None:
    ran(items("1021", "01021"), FolderPlace(tmp_path))
    assert (tmp_path / "metadata/1021.json").read_bytes() == record(3)
    assert (tmp_path / "metadata/01021.json").read_bytes() == record(4)
    bucket.delete_object(Bucket=BUCKET, Key="bin-images/01021.jpg")
    (tmp_path / "bin-images/01021.jpg").unlink()
    assert ran(items("1021", "01021"), FolderPlace(tmp_path))["01021"].fault == "photo: not there"


def test_a_full_disk_ends_the_work_and_leaves_nothing_half(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:10])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    place = FolderPlace(tmp_path)
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*/(bin-images|metadata)/\d+\.(jpg|json)'"):
        ran(items(*LISTED), place)
    assert files(tmp_path) == {}


def test_what_a_killed_fetch_left_goes_after_an_hour(tmp_path: Path) -> None:
    FolderPlace(tmp_path)
    old, new = tmp_path / ".unfinished" / "old", tmp_path / ".unfinished" / "new"
    for path in (old, new):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    FolderPlace(tmp_path)
    assert not old.exists()
    assert new.exists()


def test_a_disk_without_room_is_seen_before(tmp_path: Path) -> None:
    place = FolderPlace(tmp_path)
    with pytest.raises(UserError, match=r"need 1000000000\.0 GB and the disk .* left"):
        place.check_room([Item("1", ("1",), None, 10**18)])
    place.put("bin-images/1.jpg", b"")
    place.check_room([Item("1", ("1",), None, 10**18), Item("2", ("2",), None, 5)])


def test_photos_and_records_come_to_a_bucket_once(bucket: Any, moto_session: boto3.Session) -> None:
    first = ran(items(*LISTED), BucketPlace(moto_session, "s3://mine/data/abid/"))
    assert {one.size for one in first.values()} == {len(record(1))}  # the photos did not come through here
    assert bucket.get_object(Bucket="mine", Key="data/abid/bin-images/00710.jpg")["Body"].read() == photo("00710")
    listed = bucket.list_objects_v2(Bucket="mine", Prefix="data/abid/")["KeyCount"]
    assert listed == 2 * len(LISTED)
    again = ran(items(*LISTED), BucketPlace(moto_session, "s3://mine/data/abid"))
    assert set(again.values()) == {Outcome(id) for id in LISTED}


@pytest.mark.parametrize("code", ["AccessDenied", "NoSuchBucket"])
def test_where_s3_may_not_copy_photos_pass_through_here(
    bucket: Any, moto_session: boto3.Session, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    from botocore.exceptions import ClientError

    asked: list[str] = []

    def refuse(self: BucketPlace, _bucket: str, key: str, _target: str) -> None:
        asked.append(key)
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, "CopyObject")

    monkeypatch.setattr(places.BucketPlace, "_copy", refuse)
    place = BucketPlace(moto_session, "s3://mine")
    missing = ran(items("999999"), place)["999999"]
    assert missing.fault == "record: not there"
    first = ran(items("00710"), place)["00710"]
    assert first.size == len(photo("00710")) + len(record(2))
    ran(items("1021"), place)
    assert asked == ["bin-images/00710.jpg"]  # asked once is enough
    assert bucket.get_object(Bucket="mine", Key="bin-images/1021.jpg")["Body"].read() == photo("1021")


def test_looking_reads_no_photo(bucket: Any) -> None:
    bucket.delete_object(Bucket=BUCKET, Key="bin-images/1021.jpg")
    found = {item.id: find_one(item, PublicBins()) for item in items("710", "1021", "5")}
    assert found["710"] == Outcome("710", "00710", len(record(2)))
    assert found["1021"].fault == "photo: not there"  # 01021 has a record of its own: it is another bin
    assert found["5"].fault == "record: not there"


def test_an_error_ends_the_work_and_the_rest_is_not_begun() -> None:
    begun: list[int] = []

    def work(number: int) -> int:
        begun.append(number)
        if number == 3:
            raise UserError("no more")
        time.sleep(0.01)  # doing all takes 100 s: on a busy machine too the reader sees the error before that
        return number

    with pytest.raises(UserError, match="no more"):
        list(in_parallel(work, iter(range(10_000)), workers=2))
    assert len(begun) < 10_000


def test_leaving_early_stops_the_workers() -> None:
    taken: list[int] = []

    def tasks() -> Iterator[int]:
        for number in range(10**9):
            taken.append(number)
            yield number

    def work(number: int) -> int:
        time.sleep(0.001)
        return number

    before = threading.active_count()
    results = in_parallel(work, tasks(), workers=4)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert threading.active_count() == before
    assert len(taken) < 10_000
