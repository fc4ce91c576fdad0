from __future__ import annotations

import threading

import pytest

from pipeline.local.failures import StepStoppedError
from pipeline.local.slots import Slots


def test_a_job_takes_no_more_slots_than_there_are() -> None:
    slots = Slots(2)
    with slots.take(8, threading.Event()):
        pass
    with slots.take(1, threading.Event()), slots.take(1, threading.Event()):
        pass


def test_a_job_waits_for_its_slots_and_can_be_stopped_while_it_waits() -> None:
    slots, stop = Slots(2), threading.Event()
    stop.set()
    with slots.take(2, threading.Event()), pytest.raises(StepStoppedError), slots.take(1, stop):
        pass
    with slots.take(2, stop):  # what was stopped holds nothing
        pass


def test_a_big_job_is_not_starved_by_small_ones() -> None:
    slots, order, stop = Slots(2), list[str](), threading.Event()

    def job(name: str, instances: int) -> None:
        with slots.take(instances, stop):
            order.append(name)

    with slots.take(1, stop):
        threads = []
        for name, instances in (("big", 2), ("small", 1)):
            threads.append(threading.Thread(target=job, args=(name, instances)))
            threads[-1].start()
            while len(slots._queue) < len(threads):
                pass
    for thread in threads:
        thread.join()
    assert order == ["big", "small"]
