from __future__ import annotations

import contextlib
import errno
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from pipeline.aws import fetch_processes
from pipeline.aws.fetch_processes import fetch_in_processes
from pipeline.aws.fetching import Outcome
from pipeline.data.abid import Item
from pipeline.errors import UserError
from tests.public_bins import BadDays, bad_days, photo, record

PHOTOS = 40
ITEMS = [Item(str(number), (str(number),)) for number in range(PHOTOS)]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[BadDays]:
    """Return the bucket on loopback: processes see what is in the environment."""
    monkeypatch.setattr(fetch_processes, "_AT_ONCE", 8)
    with bad_days() as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", found.url)
        for item in ITEMS:
            found.add(item.id, 3)
        yield found


def test_processes_share_the_photos(world: BadDays, tmp_path: Path) -> None:
    world.befalls("bin-images/7.jpg", "short", "reset", "throttled")
    del world.objects["/aft-vbi-pds/metadata/9.json"]
    found = {one.id: one for one in fetch_in_processes(ITEMS, tmp_path, 2)}
    assert found.keys() == {item.id for item in ITEMS}
    assert found.pop("9").fault == "record: not there"
    assert all(one.spelled and not one.fault for one in found.values())
    for id in found:
        assert (tmp_path / f"bin-images/{id}.jpg").read_bytes() == photo(id)
        assert (tmp_path / f"metadata/{id}.json").read_bytes() == record(3)
    again = list(fetch_in_processes(ITEMS, tmp_path, 2))
    assert sum(one == Outcome(one.id) for one in again) == PHOTOS - 1


def fetching() -> list[psutil.Process]:
    """Return the processes that fetch; what other tests started and nobody waited for is none of them."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child)
    return found


def test_a_process_that_is_killed_is_told_in_one_line(world: BadDays, tmp_path: Path) -> None:
    results = fetch_in_processes(ITEMS * 50, tmp_path, 2)
    next(results)
    for child in fetching():
        os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(UserError, match="a process that fetched was killed"):
        list(results)


def test_a_folder_that_cannot_be_written_is_the_systems_own_error(world: BadDays, tmp_path: Path) -> None:
    (tmp_path / "bin-images" / "3.jpg").mkdir(parents=True)
    with pytest.raises(OSError, match="directory") as raised:
        list(fetch_in_processes(ITEMS, tmp_path, 2))
    assert raised.value.errno == errno.EISDIR


def test_left_early_no_process_stays(world: BadDays, tmp_path: Path) -> None:
    results = fetch_in_processes(ITEMS * 50, tmp_path, 2)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert not fetching()
    assert list((tmp_path / ".unfinished").iterdir()) == []
