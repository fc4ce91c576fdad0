from __future__ import annotations

import re
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from deploy.verdicts import sanitised


def test_the_service_takes_the_reason() -> None:
    told = 'ClientError: "no ping" (see\n the log); 50% of {requests} <failed>, a_b.c:d/e=f+g-h@i é 数 '
    assert sanitised(told) == "ClientError: no ping see the log 50 of requests failed a_b.c:d/e=f+g-h@i é 数"
    assert sanitised("") == sanitised(' "\n') == "-"
    assert len(sanitised("word " * 100)) <= 256


@given(st.text(max_size=400))
def test_any_text_becomes_a_metadata_value(text: str) -> None:
    value = sanitised(text)
    assert 1 <= len(value) <= 256
    assert all(unicodedata.category(c)[0] in "LNZ" or c in "_.:/=+-@" for c in value)
    assert re.sub(" +", " ", value.strip()) == value
    assert sanitised(value) == value
