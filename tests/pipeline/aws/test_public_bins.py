from __future__ import annotations

import time
from collections.abc import Iterator

import boto3
import pytest

from pipeline.aws.public_bins import PublicBins, UnusableError
from pipeline.errors import UserError
from tests.public_bins import BadDays, bad_days, fill, photo

KEY = "bin-images/7.jpg"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[BadDays]:
    """Return the bucket on loopback, with the photo 7; nobody waits between attempts."""
    monkeypatch.setattr(time, "sleep", lambda _seconds: None)
    with bad_days() as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", found.url)
        found.add("7")
        yield found


@pytest.mark.parametrize(
    "days",
    [["throttled"] * 3, ["broken", "throttled"], ["reset"], ["short"] * 3, ["wrong"], ["short", "reset", "wrong"]],
)
def test_what_passes_is_tried_again(world: BadDays, days: list[str]) -> None:
    world.befalls(KEY, *days)
    assert PublicBins().photo("7") == photo("7")
    assert len(world.asked) == len(days) + 1


@pytest.mark.parametrize(("day", "why"), [("short", "broke off"), ("wrong", "not what its tag says")])
def test_a_body_that_stays_damaged_is_unusable(world: BadDays, day: str, why: str) -> None:
    world.befalls(KEY, *[day] * 9)
    with pytest.raises(UnusableError, match=f"damaged on the way 4 times: it .*{why.rsplit(maxsplit=1)[-1]}"):
        PublicBins().photo("7")
    assert len(world.asked) == 4


def test_a_photo_that_is_endless_is_not_read(world: BadDays) -> None:
    world.befalls(KEY, "huge")
    with pytest.raises(UnusableError, match="larger than 20,971,520 bytes"):
        PublicBins().photo("7")


def test_what_is_no_photo_or_record_is_unusable(world: BadDays) -> None:
    world.objects["/aft-vbi-pds/bin-images/7.jpg"] = b"<html>"
    world.objects["/aft-vbi-pds/metadata/7.json"] = b"<html>"
    with pytest.raises(UnusableError, match="no JPEG"):
        PublicBins().photo("7")
    with pytest.raises(UnusableError, match="no JSON record"):
        PublicBins().record("7", None)


def test_nothing_is_signed_and_what_is_not_there_is_said(world: BadDays, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(UnusableError, match=r"^not there$"):
        PublicBins().photo("8")
    world.befalls(KEY, "denied")
    with pytest.raises(UnusableError, match="not there, or not public"):
        PublicBins().photo("7")


def test_a_service_that_stays_down_is_one_line(world: BadDays, monkeypatch: pytest.MonkeyPatch) -> None:
    world.befalls(KEY, *["throttled"] * 99)
    with pytest.raises(UserError, match="AWS throttles GetObject: wait a minute"):
        PublicBins().photo("7")
    assert len(world.asked) == 6
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with pytest.raises(UserError, match="AWS cannot be reached"):
        PublicBins().photo("7")


def test_a_listing_is_whole_over_pages(moto_session: boto3.Session) -> None:
    client = moto_session.client("s3")
    fill(client, {f"{number:05}": 1 for number in range(12)} | {"535234": 2})
    client.put_object(Bucket="aft-vbi-pds", Key="bin-images/", Body=b"")
    found: dict[str, int] = {}
    source = PublicBins(_Pages(client, 3))
    for page in source.listing("bin-images"):
        assert len(page) <= 3
        found |= page
    assert len(found) == 13
    assert found["bin-images/535234.jpg"] == len(photo("535234"))


def test_a_bucket_that_is_not_there_is_one_line(moto_session: boto3.Session) -> None:
    with pytest.raises(UserError, match="bucket does not exist"):
        PublicBins().photo("7")
    with pytest.raises(UserError, match="bucket does not exist"):
        list(PublicBins().listing("bin-images"))


class _Pages:
    """A client whose pages are short."""

    def __init__(self, client: object, size: int) -> None:
        self._client, self._size = client, size

    def list_objects_v2(self, **request: object) -> object:
        return self._client.list_objects_v2(MaxKeys=self._size, **request)  # type: ignore[attr-defined]
