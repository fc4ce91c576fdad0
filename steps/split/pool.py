"""A map over a thread pool that keeps the order and a bounded number of items in flight: memory stays flat."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from steps.common.processor import cores

In = TypeVar("In")
Out = TypeVar("Out")
AHEAD = 4  # items in flight for each worker: enough that none waits for a slow one


def ordered_map(function: Callable[[In], Out], items: Iterable[In]) -> Iterator[Out]:
    """Yield `function(item)` for each item, in order; one thread a core (Pillow works outside Python's lock)."""
    workers = cores()
    pool = ThreadPoolExecutor(workers)
    flight: deque[Future[Out]] = deque()
    try:
        for item in items:
            flight.append(pool.submit(function, item))
            if len(flight) >= workers * AHEAD:
                yield flight.popleft().result()
        while flight:
            yield flight.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
