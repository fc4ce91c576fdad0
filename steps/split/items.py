"""What a bin's record says of its items, for training: how many kinds, how large, and the words of their names.

A count is five classes' worth of teaching; a name like "iphone 6 case, clear" teaches what there is to see. Validation
and test photos get none of it, and the served model needs none.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from steps.common.shards import Items
from steps.split.metadata import MAX_BYTES

_WORD = re.compile(r"[a-z]{3,20}")
MAX_WORDS = 200
MAX_INCHES = MAX_POUNDS = MAX_QUANTITY = 1000.0


def read_items(folder: Path, photo_id: str) -> Items:
    """Return the facts of a photo's record, `<folder>/<id>.json`; nothing where there is none that can be read."""
    path = folder / f"{photo_id}.json"
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return Items()
        record = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return Items()
    listed = record.get("BIN_FCSKU_DATA") if isinstance(record, dict) else None
    items = [item for item in listed.values() if isinstance(item, dict)] if isinstance(listed, dict) else []
    return facts(items)


def facts(items: Iterable[Mapping[str, Any]]) -> Items:
    """Return the facts of a bin's items. Sizes that are missing or absurd count as 0."""
    items = list(items)
    if not items:
        return Items()
    quantities = [_number(item.get("quantity"), MAX_QUANTITY) for item in items]
    sizes = [[_measure(item, name, MAX_INCHES) for name in ("height", "width", "length")] for item in items]
    return Items(
        kinds=len(items),
        most=max(quantities),
        volume=sum(quantity * math.prod(size) for quantity, size in zip(quantities, sizes, strict=True)),
        weight=sum(
            quantity * _measure(item, "weight", MAX_POUNDS) for quantity, item in zip(quantities, items, strict=True)
        ),
        longest=max(max(size) for size in sizes),
        words=tuple(sorted(set(_words(items)))[:MAX_WORDS]),
    )


def _words(items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for item in items:
        if isinstance(name := item.get("name"), str):
            yield from _WORD.findall(name.lower())


def _measure(item: Mapping[str, Any], name: str, most: float) -> float:
    measure = item.get(name)
    return _number(measure.get("value"), most) if isinstance(measure, dict) else 0.0


def _number(value: object, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        return 0.0  # NaN compares with nothing
    return float(value)
