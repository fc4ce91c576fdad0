"""How far a score could be off by the luck of the test photos: the bootstrap over groups.

Photos of one group show the same bin, so they are drawn together: a resample of single photos would take repeated
photos for independent evidence and give intervals that are too narrow. Where every photo is its own group this is the
plain bootstrap.

Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13 (percentile interval); Davison and
Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8 (resampling of clusters).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from steps.common.metrics import Floats

LEVEL = 0.95
CHUNK = 64


def replicate_sums(tallies: Floats, samples: int, seed: int) -> Floats:
    """Draw as many groups as there are, with replacement, and sum their tallies; `samples` times.

    Args:
        tallies: [groups, columns].
        samples: replicates to draw, 1 or more.
        seed: the same seed draws the same groups.

    Returns:
        float64 [samples, columns].
    """
    groups = len(tallies)
    random = np.random.default_rng(seed)
    sums = np.empty((samples, tallies.shape[1]))
    for start in range(0, samples, CHUNK):
        chunk = min(CHUNK, samples - start)
        drawn = random.integers(0, groups, (chunk, groups))
        times = np.bincount((drawn + groups * np.arange(chunk)[:, None]).ravel(), minlength=chunk * groups)
        sums[start : start + chunk] = times.reshape(chunk, groups) @ tallies
    return sums


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score with its standard error and its 95% interval, which always holds the score itself."""

    value: float
    standard_deviation: float
    lower: float
    upper: float

    @classmethod
    def of(cls, value: float, replicates: Floats) -> Estimate:
        """Take the percentiles of the replicates, widened to the value where few photos put it outside."""
        lower, upper = np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
        spread = float(replicates.std(ddof=1)) if len(replicates) > 1 else 0.0
        return cls(value, spread, min(float(lower), value), max(float(upper), value))
