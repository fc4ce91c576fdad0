"""Which split a group goes to: a salted hash of the group, unless photos of it have a split already.

A hash needs no state: the same group goes to the same split on every host and in every run, and photos that join later
move no other. A group keeps its hash as long as its representative stays, which is its smallest id (or its name, where
the user names it); with an earlier assignment at hand, groups keep their split whatever joins them.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping

from steps.common.split_report import SplitSettings
from steps.split import ids


def group_name(source: str, representative: str) -> str:
    """Return a group's name, which tells where the group comes from: `csv:`, `record:` or `picture:` in front."""
    return f"{source}:{representative}"


def hashed_split(group: str, settings: SplitSettings) -> str:
    """Return the split of a group that has none: sha256(salt, representative) as a number from 0 to 1, cut in three."""
    representative = group.partition(":")[2]
    digest = hashlib.sha256(f"{settings.salt}\0{representative}".encode("utf-8", "surrogatepass")).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    if place < settings.test:
        return "test"
    return "validation" if place < settings.test + settings.validation else "train"


class Assignment:
    """The splits of groups, with what an earlier run has assigned.

    Args:
        settings: shares and salt.
        earlier: the split of each id in an earlier run, if there was one.
        group_of: tells the group that an id of theirs is in now, None where it is not known any more.
    """

    def __init__(
        self,
        settings: SplitSettings,
        earlier: Mapping[str, str] | None = None,
        group_of: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._earlier = earlier or {}
        votes: dict[str, Counter[str]] = {}
        # In natural order: most_common keeps the first of equals, so that a draw goes to the smallest id's split.
        for photo_id in sorted(self._earlier, key=ids.natural):
            group = group_of(photo_id)
            if group is not None:
                votes.setdefault(group, Counter())[self._earlier[photo_id]] += 1
        self._kept = {group: count.most_common(1)[0][0] for group, count in votes.items()}

    def split(self, group: str) -> str:
        """Return the split of a group: where most of its photos were before, else by hash."""
        return self._kept.get(group) or hashed_split(group, self._settings)

    def moved_from(self, photo_id: str, split: str) -> str | None:
        """Return the split that a photo was in before if it is another than now, else None."""
        before = self._earlier.get(photo_id)
        return before if before != split else None
