from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps.split import neighbours
from steps.split.neighbours import Hashes, near_groups

NEAR = st.builds(
    lambda base, flips: base ^ sum(1 << flip for flip in flips),
    st.sampled_from([0, 2**64 - 1, 0x0123456789ABCDEF]),
    st.sets(st.integers(0, 63), max_size=12),
)


def groups_by_search(hashes: Hashes, threshold: int) -> list[int]:
    near = np.bitwise_count(hashes[:, None] ^ hashes[None, :]) <= threshold
    group = np.arange(len(hashes))
    for _ in range(len(hashes)):
        for index in range(len(hashes)):
            group[near[index]] = group[near[index]].min()
    return [int(value) for value in group]


@given(st.lists(NEAR, max_size=30), st.sampled_from([0, 1, 3, 4, 6, 8, 13]))
def test_the_index_finds_what_comparing_all_pairs_finds(hashes: list[int], threshold: int) -> None:
    array = np.array(hashes, dtype=np.uint64)
    assert near_groups(array, threshold).tolist() == groups_by_search(array, threshold)


def test_pieces_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    hashes = random.integers(0, 2**12, 300, dtype=np.uint64)  # three bands agree everywhere
    whole = near_groups(hashes, 6)
    monkeypatch.setattr(neighbours, "PAIRS_AT_ONCE", 997)
    assert near_groups(hashes, 6).tolist() == whole.tolist() == groups_by_search(hashes, 6)


def test_equal_hashes_cost_nothing() -> None:
    assert set(near_groups(np.full(200_000, 7, dtype=np.uint64), 6).tolist()) == {0}
