"""Near duplicates among 64-bit perceptual hashes, without comparing all pairs.

Method: multi-index hashing (Norouzi, Punjani, Fleet: "Fast Search in Hamming Space with Multi-Index Hashing", CVPR
2012). Cut the hashes into 4 bands of 16 bits; if two hashes differ in at most t bits, then by the pigeonhole principle
some band differs in at most t // 4 bits. So only pairs that agree on a band to within t // 4 bits are compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import numpy.typing as npt

from steps.split.components import Components, Indices

Hashes = npt.NDArray[np.uint64]

BANDS = 4
BAND_BITS = 64 // BANDS
PAIRS_AT_ONCE = 2_000_000


def near_groups(hashes: Hashes, threshold: int) -> Indices:
    """Group hashes that are at most `threshold` bits apart, directly or over others.

    Args:
        hashes: shape [n].
        threshold: Hamming distance in bits, 0 to 64.

    Returns:
        For each hash the smallest index in its group; shape [n].
    """
    distinct, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    components = Components(len(distinct))
    for left, right in _candidates(distinct, threshold // BANDS):
        near = np.bitwise_count(distinct[left] ^ distinct[right]) <= threshold
        components.join(left[near], right[near])
    group = components.roots[inverse]
    smallest = np.full(len(distinct), len(hashes), dtype=np.int64)
    np.minimum.at(smallest, components.roots, first)
    return smallest[group]


def _candidates(hashes: Hashes, radius: int) -> Iterator[tuple[Indices, Indices]]:
    """Yield pairs of indices that agree on a band to within `radius` bits, some of them more than once."""
    for band in range(BANDS):
        keys = ((hashes >> np.uint64(band * BAND_BITS)) & np.uint64(2**BAND_BITS - 1)).astype(np.int64)
        order = np.argsort(keys, kind="stable")
        starts = np.searchsorted(keys[order], np.arange(2**BAND_BITS + 1))
        for mask in _masks(radius):
            yield from _matches(order, starts[keys ^ mask], starts[(keys ^ mask) + 1])


def _masks(radius: int) -> list[int]:
    flips = (bits for count in range(radius + 1) for bits in combinations(range(BAND_BITS), count))
    return [sum(1 << bit for bit in bits) for bits in flips]


def _matches(order: Indices, starts: Indices, stops: Indices) -> Iterator[tuple[Indices, Indices]]:
    """Yield (i, order[k]) for each i and each k from starts[i] to stops[i], in bounded pieces."""
    totals = np.concatenate(([0], np.cumsum(stops - starts)))
    for begin in range(0, int(totals[-1]), PAIRS_AT_ONCE):
        flat = np.arange(begin, min(begin + PAIRS_AT_ONCE, int(totals[-1])))
        left = np.searchsorted(totals, flat, side="right") - 1
        right = order[starts[left] + flat - totals[left]]
        once = left < right  # each pair is met from both ends
        yield left[once], right[once]
