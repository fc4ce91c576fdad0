from __future__ import annotations

import time

import pytest

from pipeline.cli.progress import Pace, duration


def test_a_line_now_and_then_says_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    pace = Pace("fetching", 535_234)
    now += 14
    assert pace(5_000) is None
    now += 6
    assert pace(1_000) == "fetching: 6,000 of 535,234, 300 a second, 29 min left"
    now += 14
    assert pace(1) is None


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "0 s"), (99, "99 s"), (600, "10 min"), (9000, "2.5 h")])
def test_durations_are_in_the_unit_that_fits(seconds: float, text: str) -> None:
    assert duration(seconds) == text
