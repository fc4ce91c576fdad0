"""Photos and records of the public bucket to a place, many at a time. What is there whole is not fetched again."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from pipeline.aws.places import Place
from pipeline.aws.public_bins import WORKERS, PublicBins, UnusableError
from pipeline.data import abid

_LEAVING = 5.0  # seconds that requests under way have to end when the work is given up
_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Outcome:
    """What became of one item: `spelled` is its id in the bucket, `fault` why it cannot be had; or neither, if there.

    `size` is the number of bytes that came.
    """

    id: str
    spelled: str | None = None
    size: int = 0
    fault: str | None = None


def fetch(items: Iterable[abid.Item], source: PublicBins, place: Place) -> Iterator[Outcome]:
    """Yield what became of each item, in no order. Given up, it leaves whole objects only.

    Raises:
        UserError: S3 refuses, or cannot be reached, after all retries.
        OSError: the disk is full, or the like.
    """
    return in_parallel(lambda item: fetch_one(item, source, place), items)


def fetch_one(item: abid.Item, source: PublicBins, place: Place) -> Outcome:
    """Fetch one photo with the record of the same spelling, under the item's own id."""
    if place.has(item):
        return Outcome(item.id)

    def take(spelled: str, record: bytes) -> int:
        size = place.take_photo(source, spelled, item.id)
        place.put(abid.record_key(item.id), record)
        return size + len(record)

    return _first(item, source, take)


def find_one(item: abid.Item, source: PublicBins) -> Outcome:
    """Look for one photo with the record of the same spelling; nothing is read but records."""

    def look(spelled: str, record: bytes) -> int:
        source.check(abid.photo_key(spelled))
        return len(record)

    return _first(item, source, look)


def _first(item: abid.Item, source: PublicBins, use: Callable[[str, bytes], int]) -> Outcome:
    """Use the first spelling that has a record: where the item's own has one, the other is another bin's."""
    fault: str | None = None
    for spelled in item.spellings:
        what = "record"
        try:
            # Nor is another spelling this bin if its record does not fit the label.
            record = source.record(spelled, None if spelled == item.id else item.label)
            what = "photo"
            return Outcome(item.id, spelled, use(spelled, record))
        except UnusableError as error:
            fault = fault or f"{what}: {error}"
            if what == "photo":
                break
    return Outcome(item.id, fault=fault)


def in_parallel(work: Callable[[_Task], _Result], tasks: Iterable[_Task], workers: int = WORKERS) -> Iterator[_Result]:
    """Yield the results of the tasks as they come; what one of them raises ends the rest.

    Tasks are taken as workers get free, so half a million of them cost no memory. Left early, as by Ctrl-C, it waits
    some seconds for what is under way.
    """
    done: queue.SimpleQueue[_Result | _Raised | None] = queue.SimpleQueue()
    waiting, lock, stop = iter(tasks), threading.Lock(), threading.Event()

    def loop() -> None:
        try:
            while not stop.is_set():
                with lock:
                    task = next(waiting)
                done.put(work(task))
        except StopIteration:
            pass
        except BaseException as error:
            done.put(_Raised(error))
        done.put(None)

    threads = [threading.Thread(target=loop, daemon=True) for _ in range(workers)]
    for thread in threads:
        thread.start()
    try:
        yield from _results(done, len(threads))
    finally:
        stop.set()
        deadline = time.monotonic() + _LEAVING
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))


@dataclass(frozen=True)
class _Raised:
    error: BaseException


def _results(done: queue.SimpleQueue[_Result | _Raised | None], workers: int) -> Iterator[_Result]:
    while workers:
        result = done.get()
        if result is None:
            workers -= 1
        elif isinstance(result, _Raised):
            raise result.error
        else:
            yield result
