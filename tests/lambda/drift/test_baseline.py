"""What Evaluate writes is what the function reads, and both count answers in the same way."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift.answers import Tally
from drift.baseline import parse
from drift.event import Window
from steps.evaluate.baseline import baseline
from steps.evaluate.inference import Answers

LABELS = ("1", "2", "3", "4", "5")
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)

weights = st.lists(st.integers(0, 100), min_size=5, max_size=5).filter(any)


@given(st.lists(weights, min_size=1, max_size=20), st.sampled_from([0.0, 0.2]))
def test_the_same_answers_are_the_same_counts(rows: list[list[int]], near_credit: float) -> None:
    shares = [[weight / sum(row) for weight in row] for row in rows]
    numbers = np.arange(len(rows))
    answers = Answers(LABELS, ["x"] * len(rows), [*range(len(rows))], numbers * 0, numbers, (np.array(shares),))
    answers.near_credits = (near_credit,)
    written = parse(json.loads(json.dumps(baseline(answers))))
    seen = Tally("bincount-demo/1", LABELS)
    for row, index in zip(shares, answers.predicted().tolist(), strict=True):
        answer = {"class_labels": LABELS, "probabilities": row, "model_version": "bincount-demo/1"}
        answer["predicted_index"] = index
        output = {"data": json.dumps(answer), "encoding": "JSON"}
        record = {
            "captureData": {"endpointOutput": output},
            "eventMetadata": {"inferenceTime": f"{NOW:%Y-%m-%dT%H:%M:%SZ}"},
        }
        seen.add_line(json.dumps(record).encode(), Window(NOW - timedelta(hours=1), NOW))
    assert (written.labels, written.photos) == (LABELS, len(rows))
    assert (list(written.predicted), list(written.confidences)) == (seen.predicted, seen.confidences)
    assert written.mean_confidence == pytest.approx(seen.confidence_sum / seen.answers)
