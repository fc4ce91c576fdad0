from __future__ import annotations

from pipeline.errors import did_you_mean


def test_near_names_are_offered_whatever_their_case() -> None:
    assert did_you_mean("tran", ["Train", "Split"]) == " (did you mean Train?)"
    assert did_you_mean("xyz", ["Train", "Split"]) == did_you_mean("x", []) == ""
