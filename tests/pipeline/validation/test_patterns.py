from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.validation.patterns import matches


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
