from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from steps.split.pool import AHEAD, ordered_map


def test_order_is_kept_whoever_is_done_first() -> None:
    second_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            second_done.wait(10 if len(os.sched_getaffinity(0)) > 1 else 0)
        if item == 1:
            second_done.set()
        return item * 10

    assert list(ordered_map(work, range(20))) == [item * 10 for item in range(20)]


def test_few_items_are_in_flight() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for item in range(1000):
            taken += 1
            yield item

    results = ordered_map(lambda item: item, items())
    for seen in range(1, 101):
        next(results)
        assert taken - seen < len(os.sched_getaffinity(0)) * AHEAD
    results.close()  # type: ignore[attr-defined]


def test_an_error_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        list(ordered_map(lambda item: 1 // item, [1, 0]))
