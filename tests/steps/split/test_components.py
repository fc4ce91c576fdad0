from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from steps.split.components import Components

EDGES = st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30)


def roots_by_search(edges: list[tuple[int, int]]) -> list[int]:
    roots = list(range(20))
    for _ in range(20):
        for left, right in edges:
            roots[left] = roots[right] = min(roots[left], roots[right])
    return roots


@given(EDGES, st.integers(0, 30))
def test_roots_are_the_smallest_of_their_set_however_edges_come(edges: list[tuple[int, int]], cut: int) -> None:
    components = Components(20)
    for part in (edges[:cut], edges[cut:]):
        ends = np.array(part, dtype=np.int64).reshape(-1, 2)
        components.join(ends[:, 0], ends[:, 1])
    assert components.roots.tolist() == roots_by_search(edges)


def test_nothing_to_join() -> None:
    components = Components(0)
    components.join(components.roots, components.roots)
    assert len(components.roots) == 0
