"""A large fetch to a folder, in as many processes as there are cores: one core makes some hundred requests a second."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pipeline.aws.fetching import Outcome, fetch
from pipeline.aws.places import FolderPlace
from pipeline.aws.public_bins import PublicBins
from pipeline.data.abid import Item
from pipeline.errors import UserError

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

WORTH_IT = 4000
"""Photos from which on the processes' start is worth while."""
_AT_ONCE = 256  # photos that a process is given at a time
_MOST = 8  # more than saturate 10 Gbit/s


class _Work(NamedTuple):
    source: PublicBins
    place: FolderPlace
    stop: Event


_work: list[_Work] = []  # of this process, if it is one of ours


def processes() -> int:
    """Return how many processes a large fetch gets here."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST)


def fetch_in_processes(items: Sequence[Item], root: Path, workers: int) -> Iterator[Outcome]:
    """Yield what became of each item, as `fetch` does, some hundred at a time.

    Raises:
        UserError: S3 refuses or cannot be reached, or a process was killed.
        OSError: the disk is full, or the like.
    """
    context = multiprocessing.get_context("spawn")  # threads and a fork do not go together
    stop = context.Event()
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(root, stop))
    try:
        parts = [pool.submit(_part, items[start : start + _AT_ONCE]) for start in range(0, len(items), _AT_ONCE)]
        for part in as_completed(parts):
            yield from part.result()
    except BrokenProcessPool:
        raise UserError("a process that fetched was killed: is there too little memory?") from None
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _begin(root: Path, stop: Event) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all: the one that started us tells us to stop
    _work.append(_Work(PublicBins(), FolderPlace(root), stop))


def _part(items: Sequence[Item]) -> list[Outcome]:
    source, place, stop = _work[0]
    done: list[Outcome] = []
    for outcome in fetch(items, source, place):
        done.append(outcome)
        if stop.is_set():
            break
    return done
