from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from steps.train.sizes import GROWING, side

epochs = st.integers(1, 60)
sides = st.integers(1, 16).map(lambda many: 32 * many)


@given(epochs, sides, sides)
def test_pictures_grow_to_the_full_size_and_end_at_it(number: int, start: int, full: int) -> None:
    found = [side(epoch, number, start, full) for epoch in range(number)]
    assert found == sorted(found)
    assert found[-1] == full
    assert found[0] in (min(start, full), full)
    assert all(one % 32 == 0 for one in found)


@given(epochs, st.integers(32, 1024))
def test_nothing_grows_where_no_smaller_start_is_asked_for(number: int, full: int) -> None:
    assert {side(epoch, number, start, full) for epoch in range(number) for start in (0, full, 2 * full)} == {full}


@given(epochs, st.integers(1, 31), sides)
def test_no_picture_is_smaller_than_what_a_backbone_takes(number: int, start: int, full: int) -> None:
    assert side(0, number, start, full) in (32, full)


def test_the_schedule_of_ten_epochs_from_128_to_192() -> None:
    assert GROWING == 0.6
    assert [side(epoch, 10, 128, 192) for epoch in range(10)] == [128, 128, 160, 160, 160, 192, 192, 192, 192, 192]
