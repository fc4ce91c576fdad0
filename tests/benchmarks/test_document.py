from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.document import Result, merge, part
from benchmarks.figures import Figure

PAGE = "# Title\n\nBy hand.\n"


def test_a_part_names_its_command_and_what_it_was_taken_on() -> None:
    text = part(Result("loading", "The loader.", [Figure("a", "1 s")], took=12.4), "2026-11-26, commit abc, 2 cores")
    assert "`python -m benchmarks.loading`, 12 s. 2026-11-26, commit abc, 2 cores.\n" in text
    assert "| a | 1 s |" in text


def test_a_failure_is_shown_with_its_reason() -> None:
    text = part(Result("loading", "The loader.", failure="KeyError: 'x'"), "today")
    assert "**Failed**: KeyError: 'x'" in text
    assert "|" not in text


def test_a_run_of_one_replaces_its_part_alone() -> None:
    page = merge(merge(PAGE, "one", "first\n"), "two", "second\n") + "\nMore by hand.\n"
    again = merge(page, "one", r"a \1 new" + "\n")
    assert again == page.replace("first\n", r"a \1 new" + "\n")


@given(st.lists(st.tuples(st.sampled_from(["one", "two", "three"]), st.text("ab\n|\\", max_size=20)), max_size=8))
def test_the_page_holds_the_last_of_each_once(runs: list[tuple[str, str]]) -> None:
    page = PAGE
    for name, text in runs:
        page = merge(page, name, text + "\n")
    for name, text in dict(runs).items():
        assert page.count(f"<!-- measured: {name} -->\n{text}\n<!-- end of {name} -->\n") == 1
    assert page.startswith(PAGE.rstrip())
    assert page.count("<!-- measured:") == len({name for name, _ in runs})


def test_a_part_that_does_not_end_is_refused() -> None:
    with pytest.raises(ValueError, match="'one' does not begin and end once"):
        merge(PAGE + "<!-- measured: one -->\ntext\n", "one", "new\n")
