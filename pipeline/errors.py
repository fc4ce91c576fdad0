"""Errors that a user can mend, and the hint for a name that was mistyped."""

from __future__ import annotations

from collections.abc import Iterable


class UserError(Exception):
    """The message is one line that says what is wrong and what to do; the command line prints it alone."""


def did_you_mean(wanted: str, known: Iterable[str]) -> str:
    """Return ` (did you mean ...?)` where known names resemble what was typed, else nothing."""
    import difflib  # only once something went wrong

    lower = {name.lower(): name for name in known}
    found = [lower[name] for name in difflib.get_close_matches(wanted.lower(), lower, n=3)]
    return f" (did you mean {' or '.join(found)}?)" if found else ""
