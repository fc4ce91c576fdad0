from __future__ import annotations

import csv
import io

from steps.common.split_report import NAMES_KEPT
from steps.split.aside import Aside


def test_all_are_written_and_the_first_are_named() -> None:
    file = io.BytesIO()
    with Aside(file) as aside:
        for index in range(NAMES_KEPT + 5):
            aside.add("rejected", str(index), "truncated" if index % 2 else "too large")
        aside.add("moved", 'a "b",\n', "train to test")
        rejected = aside.named("rejected")
        assert aside.named("missing").total == 0
    assert rejected.counts == {"too large": 503, "truncated": 502}
    assert len(rejected.first) == NAMES_KEPT
    assert rejected.first[1] == ("1", "truncated")
    rows = list(csv.reader(io.StringIO(file.getvalue().decode(), newline="")))
    assert len(rows) == 1 + rejected.total + 1
    assert rows[0] == ["kind", "name", "reason"]
    assert rows[-1] == ["moved", 'a "b",\\u000a', "train to test"]
