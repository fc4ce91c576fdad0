"""Two samples of counts, compared by the population stability index, with what chance adds taken into account. Pure.

Sources: N. Siddiqi, "Credit Risk Scorecards", Wiley 2006, for the index and its usual limits (0.1 to look, 0.25 a major
shift); B. Yurdakul and J. Naranjo, "Statistical properties of the population stability index", Journal of Risk Model
Validation 14(4), 2020: of two samples of n and m from one distribution over B categories it is about
(1/n + 1/m) chi-square with B - 1 degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import NormalDist

_PRIOR = 0.5  # Jeffreys': added to each count, so that an empty category has no infinite ratio
_CHANCE = 0.001  # how often equal distributions may look as different as `Shift.chance`
_PARTS = 10  # of the confidences, about equal in the baseline: the index is commonly taken over tenths


@dataclass(frozen=True)
class Shift:
    """How far counts lie from those that were expected."""

    psi: float
    """The index less what chance adds on average; 0 at least."""
    raw: float
    chance: float
    """What the raw index exceeds once in a thousand where nothing has changed."""

    def is_drift(self, limit: float) -> bool:
        """Whether there is a shift that matters, and that chance does not explain."""
        return self.psi >= limit and self.raw > self.chance


def compare(expected: Sequence[int], seen: Sequence[int]) -> Shift:
    """Compare two samples by category, both not empty.

    Args:
        expected: counts of the baseline.
        seen: counts of the window, in the same order.
    """
    pairs = [(x, y) for x, y in zip(expected, seen, strict=True) if x or y]
    m, n = (sum(counts) for counts in zip(*pairs, strict=True))
    prior = _PRIOR * len(pairs)
    shares = [((x + _PRIOR) / (m + prior), (y + _PRIOR) / (n + prior)) for x, y in pairs]
    raw = math.fsum((q - p) * math.log(q / p) for p, q in shares)
    freedom, spread = len(pairs) - 1, 1 / m + 1 / n
    return Shift(max(0.0, raw - spread * freedom), raw, spread * _chi_square(freedom))


def _chi_square(freedom: int) -> float:
    """The quantile of chi-square that _CHANCE of it exceeds, by Wilson and Hilferty (PNAS 17, 1931): within 2 %."""
    if freedom == 0:
        return 0.0
    part = 2 / (9 * freedom)
    return float(freedom * (1 - part + NormalDist().inv_cdf(1 - _CHANCE) * math.sqrt(part)) ** 3)


def parts(expected: Sequence[int], seen: Sequence[int]) -> tuple[list[int], list[int]]:
    """Merge neighbouring bins until each part holds a tenth of the baseline's answers or more, but for the last one.

    A bin with a tenth or more of its own stays alone, and what is left before it is a part, however small: a model
    that was always certain, and no longer is, shows there.
    """
    ends = list(_ends(expected))
    begins = [0, *ends[:-1]]
    merged = [[sum(counts[begin:end]) for begin, end in zip(begins, ends, strict=True)] for counts in (expected, seen)]
    return merged[0], merged[1]


def _ends(expected: Sequence[int]) -> Iterator[int]:
    share, held, begin = sum(expected) / _PARTS, 0, 0
    for index, count in enumerate(expected):
        if count >= share and index > begin:
            yield index
            held, begin = 0, index
        held += count
        if held >= share:
            yield index + 1
            held, begin = 0, index + 1
    if begin < len(expected):
        yield len(expected)
