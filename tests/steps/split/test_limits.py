from __future__ import annotations

from collections import Counter

import pytest

from steps.common.job import JobError
from steps.common.split_report import Named, SplitSettings
from steps.split.limits import check_missing, check_rejected, check_splits

SETTINGS = SplitSettings(salt="s", max_rejected=0.05, max_missing=0.5)


def bad(count: int) -> Named:
    return Named(counts={"truncated": count}, first=[(str(index), "truncated") for index in range(count)])


def test_rejects_up_to_the_limit_are_fine() -> None:
    check_rejected(bad(5), 100, SETTINGS)
    check_rejected(Named(), 0, SETTINGS)
    with pytest.raises(JobError) as error:
        check_rejected(bad(6), 100, SETTINGS)
    line = str(error.value)
    assert line.startswith(
        "6 of 100 photos (6.0%) cannot be used, over the limit of 5.0%: 0 (truncated), 1 (truncated),"
    )
    assert "5 (truncated)" not in line
    assert line.endswith("or raise --max-rejected")


def test_missing_up_to_the_limit_are_fine() -> None:
    check_missing(bad(5), 10, SETTINGS)
    with pytest.raises(JobError, match=r"6 of 10 listed photos \(60.0%\) are missing, over the limit of 50.0%: 0, 1"):
        check_missing(bad(6), 10, SETTINGS)
    check_missing(bad(10), 10, SETTINGS.model_copy(update={"max_missing": 1.0}))


def test_no_split_may_be_empty() -> None:
    check_splits(Counter(train=1, validation=1, test=1))
    with pytest.raises(JobError, match="into validation and test of 3 photos"):
        check_splits(Counter(train=3))
