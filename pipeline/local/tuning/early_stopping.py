"""When a trial is not worth finishing: the median rule of TrainingJobEarlyStoppingType Auto.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-early-stopping.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean, median

# Below this many finished trials a median says little; the service does not publish its own number.
MIN_FINISHED = 3


def hopeless(values: Sequence[float], finished: Iterable[Sequence[float]], *, maximize: bool) -> bool:
    """Say whether a trial's latest objective is worse than the median of the finished trials' running averages.

    Args:
        values: the trial's objective, one value an epoch so far.
        finished: the same of the trials that completed; their average is taken up to the same epoch.
        maximize: whether more is better.
    """
    epoch = len(values)
    averages = [fmean(other[:epoch]) for other in finished if len(other) >= epoch > 0]
    if len(averages) < MIN_FINISHED:
        return False
    return values[-1] < median(averages) if maximize else values[-1] > median(averages)
