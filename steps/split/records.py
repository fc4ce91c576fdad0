"""Groups of photos from their item records: which photos show the same bin.

The rule, after the Amazon Bin Image Dataset: a bin is photographed again and again, with ids that lie close together,
and goods come and go in between. So ids at most 3 apart that share an item are one group, and so are photos with
identical lists of items; groups are the connected components of both.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from steps.split import ids
from steps.split.components import Components

MAX_APART = 3


class ItemRecords:
    """Item records by photo id, as hashes: about 100 bytes a photo however long the items' names are."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self._lists = array("Q")
        self._items = array("Q")
        self._owners = array("q")

    def add(self, photo_id: str, items: Iterable[str]) -> None:
        """Add the record of a photo. A record without items tells nothing of the bin and is passed over."""
        distinct = sorted(set(items))
        if not distinct:
            return
        self._lists.append(_hash("\0".join(distinct)))
        self._items.extend(_hash(item) for item in distinct)
        self._owners.extend([len(self.ids)] * len(distinct))
        self.ids.append(photo_id)

    def groups(self) -> dict[str, str]:
        """Return each id's group, named by the smallest id in it (numbers first, by value)."""
        order = sorted(range(len(self.ids)), key=lambda index: ids.natural(self.ids[index]))
        components = self._components(np.array(order, dtype=np.int64))
        names = [self.ids[index] for index in order]
        return {name: names[root] for name, root in zip(names, components.roots, strict=True)}

    def _components(self, order: npt.NDArray[np.int64]) -> Components:
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        components = Components(len(order))
        lists = np.frombuffer(self._lists, dtype=np.uint64)[order]
        by_list = np.argsort(lists, kind="stable")
        same = lists[by_list][1:] == lists[by_list][:-1]
        components.join(by_list[1:][same], by_list[:-1][same])

        values = [ids.number(self.ids[index]) for index in order]
        numbers = np.array([-1 if value is None else value for value in values], dtype=np.int64)
        items = np.frombuffer(self._items, dtype=np.uint64)
        owners = rank[np.frombuffer(self._owners, dtype=np.int64)]
        by_item = np.lexsort((owners, items))
        items, owners = items[by_item], owners[by_item]
        # Of one item's owners by number, it is enough to join each with the next: the rest follows.
        near = (items[1:] == items[:-1]) & (numbers[owners[1:]] - numbers[owners[:-1]] <= MAX_APART)
        near &= (numbers[owners[1:]] >= 0) & (numbers[owners[:-1]] >= 0)
        components.join(owners[1:][near], owners[:-1][near])
        return components


def _hash(text: str) -> int:
    # 64 bits: two of a million different texts meet with a chance of 3 in 100 million, and then two bins are one group
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
