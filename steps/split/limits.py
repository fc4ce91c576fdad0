"""What fails a Split, each as one line."""

from __future__ import annotations

from collections import Counter

from steps.common.job import JobError
from steps.common.labels import SPLITS
from steps.common.split_report import Named, SplitSettings

EXAMPLES = 5


def _examples(named: Named) -> str:
    shown = ", ".join(f"{name} ({reason})" for name, reason in named.first[:EXAMPLES])
    return shown + (", ..." if named.total > EXAMPLES else "")


def check_rejected(rejected: Named, usable: int, settings: SplitSettings) -> None:
    """Raise JobError if more than `max_rejected` of the photos that should have been usable are not.

    Args:
        rejected: the photos with a label from 1 to 5 that cannot be used.
        usable: the number of photos with a label from 1 to 5, the rejected ones among them.
        settings: has the limit.
    """
    if rejected.total > settings.max_rejected * usable:
        raise JobError(
            f"{rejected.total:,} of {usable:,} photos ({rejected.total / usable:.1%}) cannot be used, over the limit "
            f"of {settings.max_rejected:.1%}: {_examples(rejected)}; mend or remove them, or raise --max-rejected"
        )


def check_missing(missing: Named, listed: int, settings: SplitSettings) -> None:
    """Raise JobError if more than `max_missing` of the listed photos are not there."""
    if missing.total > settings.max_missing * listed:
        raise JobError(
            f"{missing.total:,} of {listed:,} listed photos ({missing.total / listed:.1%}) are missing, over the limit "
            f"of {settings.max_missing:.1%}: {', '.join(name for name, _ in missing.first[:EXAMPLES])}; "
            "add them, or raise --max-missing"
        )


def check_splits(photos: Counter[str]) -> None:
    """Raise JobError if a split has no photo."""
    empty = [split for split in SPLITS if not photos[split]]
    if empty:
        raise JobError(
            f"no photo falls into {' and '.join(empty)} of {photos.total():,} photos: add photos, or ask for larger "
            "--validation and --test shares"
        )
