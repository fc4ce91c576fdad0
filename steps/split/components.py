"""Connected components over indices 0 to n - 1, joined in bulk; memory is n integers whatever is joined."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Indices = npt.NDArray[np.int64]


class Components:
    """Sets of indices; `roots[i]` is the smallest index in the set of i."""

    def __init__(self, count: int) -> None:
        self.roots: Indices = np.arange(count, dtype=np.int64)

    def join(self, left: Indices, right: Indices) -> None:
        """Join the sets of `left[k]` and `right[k]` for every k (int64 arrays of one shape)."""
        ends = self.roots[left], self.roots[right]
        apart = ends[0] != ends[1]
        if not apart.any():
            return
        edges = (np.ones(int(apart.sum()), dtype=bool), (ends[0][apart], ends[1][apart]))
        count = len(self.roots)
        _, component = connected_components(coo_array(edges, shape=(count, count)), directed=False)
        _, first, inverse = np.unique(component[self.roots], return_index=True, return_inverse=True)
        self.roots = first[inverse]
