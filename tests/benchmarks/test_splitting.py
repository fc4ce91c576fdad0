from __future__ import annotations

import pytest

from benchmarks.splitting import ALL, growth


def test_growth_is_drawn_on_to_all_photos() -> None:
    row = growth((10_000, 100_000), [100.0, 145.0])  # 500 bytes a photo
    assert row.measured == f"{145 + 0.0005 * (ALL - 100_000):,.0f} MB"
    assert row.note == "1.45 times from 10,000 to 100,000 photos, 500 bytes a photo"
    assert row.met is True


@pytest.mark.parametrize(("last", "met"), [(100.0, True), (90.0, True), (220.0, False)])
def test_memory_that_all_photos_would_take_is_held_to_the_bar(last: float, met: bool) -> None:
    assert growth((10_000, 100_000), [100.0, last]).met is met
