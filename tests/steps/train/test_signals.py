from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from steps.train.signals import STOPPED, StopRequest


@pytest.fixture
def handler_put_back() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("handler_put_back")
def test_sigterm_is_a_wish_and_ends_nothing() -> None:
    stop = StopRequest()
    assert not stop()
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGTERM)
    assert stop()


def test_the_exit_code_is_a_terminated_process_s() -> None:
    assert STOPPED == 143
