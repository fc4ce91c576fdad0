"""Reading within bounds."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from drift import captures
from drift.answers import Tally
from drift.captures import Limits
from drift.environment import load
from drift.event import parse
from drift.production import Place
from tests.drifting import BUCKET, EVEN, GROUP, LABELS, World, answers

WHERE = Place(BUCKET, "bincount/capture")


def read(**bounds: float) -> tuple[Tally, bool]:
    question = parse({"ModelPackageGroupName": GROUP}, "bincount", datetime.now(UTC))
    tally = Tally(f"{GROUP}/1", tuple(LABELS))
    limits = Limits(**{"deadline": time.monotonic() + 60, **bounds})  # type: ignore[arg-type]
    return tally, captures.read(load(), WHERE, question, tally, limits)


def test_all_files_are_read_where_they_are_few(world: World) -> None:
    world.keep(answers(EVEN, 230), per_file=10)
    tally, complete = read(objects=23)
    assert (tally.answers, tally.unreadable, complete) == (230, 0, True)


def test_a_sample_of_the_window_is_read_where_they_are_many(world: World) -> None:
    world.keep(answers([1, 0, 0, 0, 0], 200), hours=20, per_file=5)
    world.keep(answers([0, 0, 0, 0, 1], 200), hours=1, per_file=5)
    tally, complete = read(objects=40)
    assert (tally.answers, complete) == (200, False)
    assert min(tally.predicted[0], tally.predicted[4]) > 60  # of both times, not of the first alone
    assert read(objects=40)[0] == tally


@pytest.mark.parametrize("bounds", [{"answers": 20}, {"bytes": 6000}, {"deadline": 0.0}])
def test_reading_ends_at_each_bound(world: World, bounds: dict[str, float]) -> None:
    world.keep(answers(EVEN, 200), per_file=10)
    tally, complete = read(**bounds)
    assert not complete
    assert 0 < tally.answers <= 30


def test_lines_longer_than_a_chunk_are_put_together(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captures, "_CHUNK", 7)
    world.keep(answers(EVEN, 30), per_file=10)
    tally, complete = read()
    assert (tally.answers, tally.unreadable, complete) == (30, 0, True)


@pytest.mark.parametrize("chunk", [7, 1000, 1 << 20])
def test_a_line_too_long_is_passed_over_without_being_held(
    world: World, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    monkeypatch.setattr(captures, "_CHUNK", chunk)
    monkeypatch.setattr(captures, "_LONGEST_LINE", 2000)
    then = datetime.now(UTC) - timedelta(hours=1)
    world.keep(answers(EVEN, 3), per_file=3)
    good = world.s3.get_object(Bucket=BUCKET, Key=world.files[0])["Body"].read()
    world.put(b"x" * 50_000 + b"\n" + good + b"y" * 50_000, then)
    tally, _ = read()
    assert (tally.answers, tally.unreadable) == (6, 2)


def test_other_files_and_empty_lines_are_no_answers(world: World) -> None:
    then = datetime.now(UTC) - timedelta(hours=1)
    world.put(b"", then)
    world.put(b"\n\n\n", then)
    world.s3.put_object(Bucket=BUCKET, Key=f"{world.files[0]}.tmp", Body=b"{}")
    tally, complete = read()
    assert (tally.answers, tally.unreadable, complete) == (0, 0, True)


def test_a_file_that_goes_away_after_it_was_listed_is_left_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.keep(answers(EVEN, 20), per_file=10)
    keys = captures._keys

    def vanish(*arguments: object) -> list[str]:
        listed = list(keys(*arguments))  # type: ignore[arg-type]
        world.s3.delete_object(Bucket=BUCKET, Key=listed[0])
        return listed

    monkeypatch.setattr(captures, "_keys", vanish)
    assert read()[0].answers == 10
