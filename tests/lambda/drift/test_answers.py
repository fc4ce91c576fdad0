from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drift.answers import Tally
from drift.event import Window

LABELS = ("1", "2", "3", "4", "5")
VERSION = "bincount-demo/3"
END = datetime(2026, 11, 26, 12, 30, tzinfo=UTC)
WINDOW = Window(END - timedelta(hours=24), END)
PROBABILITIES = [0.1, 0.2, 0.5, 0.15, 0.05]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def answer(**members: Any) -> dict[str, Any]:
    known = {"class_labels": [*LABELS], "probabilities": PROBABILITIES, "model_version": VERSION}
    return {"predicted_label": "3", "predicted_index": 2, "confidence": 0.5, **known, **members}


def line(answered: object, encoding: str = "JSON", time: object = "2026-11-26T12:00:00Z") -> bytes:
    text = json.dumps(answered)
    data = base64.b64encode(text.encode()).decode() if encoding == "BASE64" else text
    output = {"observedContentType": "application/json", "mode": "OUTPUT", "data": data, "encoding": encoding}
    asked = {"observedContentType": "image/jpeg", "mode": "INPUT", "data": "/9j/", "encoding": "BASE64"}
    record = {
        "captureData": {"endpointInput": asked, "endpointOutput": output},
        "eventMetadata": {"eventId": "x", "inferenceTime": time},
        "eventVersion": "0",
    }
    return json.dumps(record).encode()


def tally(*lines: bytes) -> Tally:
    found = Tally(VERSION, LABELS)
    for one in lines:
        found.add_line(one, WINDOW)
    return found


@pytest.mark.parametrize("encoding", ["JSON", "BASE64"])
def test_an_answer_is_counted_by_class_and_confidence(encoding: str) -> None:
    found = tally(line(answer(), encoding))
    assert (found.answers, found.predicted, found.unreadable) == (1, [0, 0, 1, 0, 0], 0)
    assert found.confidences.index(1) == 49  # (0.49, 0.50], as the baseline has it
    assert found.confidence_sum == 0.5


def test_answers_of_a_batch_count_each() -> None:
    sure = answer(probabilities=[0.0, 0, 0, 0, 1.0], predicted_index=4)
    found = tally(line([answer(), sure, sure], "BASE64"))
    assert (found.answers, found.predicted, found.confidences[-1]) == (3, [0, 0, 1, 0, 2], 2)


def test_what_was_answered_counts_not_what_is_most_probable() -> None:
    found = tally(line(answer(probabilities=[0.32, 0.05, 0.3, 0.28, 0.05])))
    assert (found.predicted, found.confidence_sum) == ([0, 0, 1, 0, 0], 0.3)


def test_answers_of_another_time_are_left_out() -> None:
    found = tally(*(line(answer(), time=time) for time in ("2026-11-25T12:29:59Z", "2026-11-26T12:30:01Z")))
    assert found == tally()
    ends = tally(*(line(answer(), time=time) for time in ("2026-11-25T12:30:00Z", "2026-11-26T12:30:00Z")))
    assert ends.answers == 2


def test_answers_of_another_version_are_told_apart() -> None:
    found = tally(line(answer(model_version="bincount-demo/2")), line([answer(), answer(model_version=None)]))
    assert (found.answers, found.others) == (1, 2)


@pytest.mark.parametrize(
    "wrong",
    [
        {"predicted_index": 5},
        {"predicted_index": -1},
        {"predicted_index": True},
        {"predicted_index": None},
        {"probabilities": [0.5, 0.5]},
        {"probabilities": "00000"},
        {"probabilities": [0.1, 0.2, 0.5, 0.15, "0.05"]},
        {"probabilities": [True, 0, 0, 0, 0]},
        {"probabilities": [float("nan"), 0, 0, 0, 1]},
        {"probabilities": [1e999, 0, 0, 0, 0]},
        {"probabilities": [-0.5, 0.5, 0.5, 0.5, 0]},
        {"probabilities": [0.9, 0.9, 0, 0, 0]},
        {"probabilities": [0, 0, 0, 0, 10**400]},
        {"probabilities": None},
        {"class_labels": ["5", "4", "3", "2", "1"]},
        {"class_labels": None},
    ],
)
def test_an_answer_that_is_none_is_counted_as_unreadable(wrong: dict[str, Any]) -> None:
    found = tally(line(answer(**wrong)), line([answer(), answer(**wrong)]))
    assert (found.answers, found.others, found.unreadable) == (1, 0, 2)


@pytest.mark.parametrize(
    "bad",
    [
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"eventMetadata": ' * 50_000,
        b"1" * 10_000,
        b"null",
        line(answer())[:-20],
        line(answer(), time="yesterday"),
        line(answer(), time=5),
        line("[" * 100_000),
        line(answer()).replace(b'"JSON"', b'"BASE64"'),
        line(answer()).replace(b"captureData", b"other"),
    ],
)
def test_a_line_that_is_none_is_counted_as_unreadable(bad: bytes) -> None:
    found = tally(bad, line(answer()))
    assert (found.answers, found.unreadable) == (1, 1)


def test_an_answer_without_an_end_is_cut() -> None:
    assert tally(line([answer()] * 5000)).answers == 1000


@given(st.binary(max_size=200))
def test_any_bytes_may_stand_in_a_line(bad: bytes) -> None:
    assert tally(bad).answers == 0


@given(json_values)
def test_any_json_may_stand_in_a_line(value: object) -> None:
    assert tally(json.dumps(value).encode()).answers == 0


@given(json_values, json_values, json_values, json_values)
def test_any_json_may_stand_in_an_answer(whole: object, probabilities: object, index: object, time: object) -> None:
    strange = answer(probabilities=probabilities, predicted_index=index)
    found = tally(line(whole), line(strange), line(answer(), time=time))
    assert sum(found.predicted) == sum(found.confidences) == found.answers <= 1


@given(st.lists(st.integers(0, 1000), min_size=5, max_size=5).filter(any), st.sampled_from(["JSON", "BASE64"]))
def test_all_probabilities_of_the_server_are_taken(weights: list[int], encoding: str) -> None:
    probabilities = [weight / sum(weights) for weight in weights]
    index = weights.index(max(weights))
    found = tally(line(answer(probabilities=probabilities, predicted_index=index), encoding))
    assert found.answers == 1
    assert found.predicted.index(1) == index
