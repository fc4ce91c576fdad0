from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.local.aws.shapes import faults, inward, matches, outward


@given(st.sampled_from("LMNPSZ"), st.characters())
def test_unicode_classes_are_exact(name: str, character: str) -> None:
    assert matches(f"[\\p{{{name}}}]", character) == (unicodedata.category(character)[0] == name)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        (r"[\p{L}_.:\/=+\-@]*", "Größe_1:x", False),
        (r"[\p{L}\p{N}_.:\/=+\-@]*", "Größe_1:x", True),
        (r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,128}", '{"no": 1}', False),
        (r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,128}", "s3://bucket/a key", True),
        ("[a-z]+", "abc\n", False),
    ],
)
def test_patterns_hold_for_the_whole_text(pattern: str, text: str, fits: bool) -> None:
    assert matches(pattern, text) is fits


def _shape(sagemaker: Any, operation: str) -> Any:
    return sagemaker.meta.service_model.operation_model(operation).input_shape


def test_members_of_lists_are_checked_too(sagemaker: Any) -> None:
    shape = _shape(sagemaker, "CreateModelPackageGroup")
    wrong = faults(shape, {"ModelPackageGroupName": "g", "Tags": [{"Key": "k" * 129, "Value": "v"}]})
    assert wrong == [
        "Value at 'Tags[0].Key' failed to satisfy: Member must have length or value less than or equal to 128"
    ]


def test_times_go_in_as_seconds_and_out_as_aware_datetimes(sagemaker: Any) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    shape = _shape(sagemaker, "ListPipelines")
    stored = inward(shape, {"CreatedAfter": moment, "MaxResults": 5})
    assert stored == {"CreatedAfter": moment.timestamp(), "MaxResults": 5}
    back = outward(shape, stored)["CreatedAfter"]
    assert back == moment
    assert back.tzinfo is not None
