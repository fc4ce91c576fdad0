"""Photo ids: which are sane, in what order they stand, and how one id may be spelled."""

from __future__ import annotations

import re
from collections.abc import Collection

MAX_CHARACTERS = 200
# Neither control characters nor lone surrogates (file names that are no UTF-8): they cannot be written to reports.
_STRANGE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_NUMBER = re.compile(r"[0-9]{1,18}")  # ASCII digits that fit an int64
_PADDED = 5  # the Amazon Bin Image Dataset pads low ids to five digits: 00710


def is_sane(text: str) -> bool:
    """Tell whether a text may be an id: no separators of paths, no control characters, not endless."""
    if not 0 < len(text) <= MAX_CHARACTERS or text in {".", ".."} or text != text.strip():
        return False
    return "/" not in text and "\\" not in text and _STRANGE.search(text) is None


def printable(text: str) -> str:
    """Return a text of unknown origin as one short line."""
    shown = _STRANGE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)
    return shown if len(shown) <= MAX_CHARACTERS else shown[: MAX_CHARACTERS - 3] + "..."


def number(photo_id: str) -> int | None:
    """Return the number that an id spells, None where it spells none."""
    return int(photo_id) if _NUMBER.fullmatch(photo_id) else None


def natural(photo_id: str) -> tuple[int, int, str]:
    """Return a sort key: numbers by value, before all other ids."""
    value = number(photo_id)
    return (1, 0, photo_id) if value is None else (0, value, photo_id)


class Spellings:
    """Find ids in a collection that may spell them with or without leading zeros (`00710` and `710`).

    Where the collection itself holds both spellings of any number, the zeros mean something and only exact ids match:
    in the Amazon Bin Image Dataset, 1021 and 01021 are photos of two different bins.
    """

    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self.exact_only = any(_bare(spelled) in known for spelled in known if _bare(spelled) != spelled)

    def find(self, photo_id: str) -> str | None:
        """Return the collection's spelling of an id, None where it has none."""
        if photo_id in self._known:
            return photo_id
        if self.exact_only or number(photo_id) is None:
            return None
        others = (_bare(photo_id), _bare(photo_id).zfill(_PADDED))
        return next((other for other in others if other in self._known), None)


def _bare(photo_id: str) -> str:
    return photo_id.lstrip("0") or "0" if number(photo_id) is not None else photo_id
