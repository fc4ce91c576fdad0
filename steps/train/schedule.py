"""The learning rate: linear warm-up, then half a cosine down to a share of the peak."""

from __future__ import annotations

import math


def learning_rate(step: int, steps: int, warmup: int, peak: float, final: float) -> float:
    """Return the rate of a step; a function of the position alone, so that a resumed run needs no state for it.

    Source: Loshchilov and Hutter, SGDR (2017), one period, after the linear warm-up of Goyal et al. (2017).

    Args:
        step: number of steps done before this one, 0 to steps - 1.
        steps: number of steps of the whole run.
        warmup: number of steps until the peak.
        peak: the highest rate.
        final: the share of the peak that the cosine ends at, 0 to 1.
    """
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    done = (step - warmup) / max(1, steps - warmup)
    return peak * (final + (1 - final) * (1 + math.cos(math.pi * done)) / 2)
