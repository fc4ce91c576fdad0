from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.answer import SmokeTest, fault, read
from tests.deployments import SMOKE, good_answer

TEST = read(json.dumps(SMOKE).encode())


def test_the_smoke_test_is_read() -> None:
    assert SmokeTest("image/jpeg", b"photo", "3", (0.1, 0.2, 0.5, 0.15, 0.05), ("1", "2", "3", "4", "5")) == TEST


@pytest.mark.parametrize(
    "change",
    [
        {"content_type": 5},
        {"photo_base64": "%%"},
        {"photo_base64": "ä"},
        {"photo_base64": ""},
        {"predicted_label": "6"},
        {"probabilities": [1.0]},
        {"probabilities": [0.1, 0.2, 0.5, 0.15, "x"]},
        {"probabilities": 5},
        {"class_labels": [1, 2, 3, 4, 5]},
    ],
)
def test_a_smoke_test_that_cannot_be_used(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        read(json.dumps({**SMOKE, **change}).encode())


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"5", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_smoke_test(text: bytes) -> None:
    with pytest.raises(ValueError):
        read(text)


def answered(**change: Any) -> str | None:
    answer = {**good_answer("bincount-demo/1"), **change}
    return fault(json.dumps({k: v for k, v in answer.items() if v is not ...}).encode(), TEST, "bincount-demo/1")


def test_a_right_answer() -> None:
    assert answered() is None
    # Another processor's arithmetic.
    assert answered(probabilities=[0.12, 0.2, 0.48, 0.15, 0.05], confidence=0.48) is None
    assert answered(more="what later servers may add") is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_version": "bincount-demo/2"}, "version bincount-demo/2 answered"),
        ({"model_version": ...}, "lacks model_version"),
        ({"class_labels": ["1", "2"]}, "labels are"),
        ({"class_labels": 5}, "not iterable"),
        ({"class_labels": [1, 2, 3, 4, 5]}, "labels are"),
        ({"probabilities": [0.5, 0.5]}, "from 0 to 1 for each label"),
        ({"probabilities": [0.1, 0.2, 0.5, 0.25, -0.05]}, "from 0 to 1 for each label"),
        ({"probabilities": [0.1, 0.2, 0.5, 0.1, 0.05]}, "add up to 0.95"),
        ({"probabilities": [0.1, 0.2, 0.5, 0.15, None]}, "None in place of a number"),
        ({"probabilities": [0.1, 0.2, 0.5, 0.15, True]}, "True in place of a number"),
        ({"probabilities": [0.1, 0.2, 0.5, 0.15, float("nan")]}, "nan in place of a number"),
        ({"probabilities": "0.2"}, "in place of a number"),
        ({"predicted_index": 1}, "not the probability of the answer, 0.2"),
        ({"predicted_index": 2.0}, "2.0 is no label's"),
        ({"predicted_index": -3}, "-3 is no label's"),
        ({"predicted_index": 7}, "7 is no label's"),
        ({"predicted_index": True}, "True is no label's"),
        ({"confidence": 0.4}, "not the probability of the answer, 0.5"),
        ({"confidence": float("inf")}, "inf in place of a number"),
        ({"predicted_label": "1"}, "does not belong to predicted index 2"),
        ({"predicted_label": 3}, "does not belong to predicted index 2"),
        ({"probabilities": [0.2, 0.2, 0.4, 0.15, 0.05], "confidence": 0.4}, "differs by 0.100"),
    ],
)
def test_a_wrong_answer(change: dict[str, Any], said: str) -> None:
    assert said in str(answered(**change))


def test_the_answer_need_not_be_the_most_probable_one() -> None:
    """It is where near misses count for something: the evaluation's answer decides."""
    test = SmokeTest("image/jpeg", b"photo", "3", (0.32, 0.05, 0.3, 0.28, 0.05), TEST.labels)
    answer = good_answer("g/1") | {"probabilities": [0.32, 0.05, 0.3, 0.28, 0.05], "confidence": 0.3}
    assert fault(json.dumps(answer).encode(), test, "g/1") is None


def test_another_label_within_the_tolerance_is_wrong() -> None:
    close = SmokeTest("image/jpeg", b"photo", "3", (0.1, 0.34, 0.36, 0.15, 0.05), TEST.labels)
    answer = good_answer("g/1") | {"probabilities": [0.1, 0.36, 0.34, 0.15, 0.05], "confidence": 0.36}
    answer |= {"predicted_index": 1, "predicted_label": "2"}
    assert fault(json.dumps(answer).encode(), close, "g/1") == "label 2 instead of the evaluation's 3"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"5", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_answer(body: bytes) -> None:
    assert str(fault(body, TEST, "bincount-demo/1")).startswith("the answer is no JSON")


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.sampled_from(sorted(good_answer("g/1"))), json_values)
def test_any_member_may_be_anything(member: str, value: Any) -> None:
    answer = {**good_answer("bincount-demo/1"), member: value}
    said = fault(json.dumps(answer).encode(), TEST, "bincount-demo/1")
    assert said is None or ("\n" not in said[:60] and len(said) < 300)


@given(st.binary(max_size=60))
def test_any_bytes_may_stand_in_for_the_photo(photo: bytes) -> None:
    text = json.dumps({**SMOKE, "photo_base64": base64.b64encode(photo).decode()}).encode()
    if photo:
        assert read(text).photo == photo
    else:
        with pytest.raises(ValueError):
            read(text)
