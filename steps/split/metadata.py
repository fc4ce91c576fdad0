"""The metadata JSONs of the Amazon Bin Image Dataset: a bin's record, one file a photo.

{"BIN_FCSKU_DATA": {"<item id>": {"quantity": 2, ...}, ...}, "EXPECTED_QUANTITY": 2}
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from steps.split import ids

MAX_BYTES = 4 * 2**20
MALFORMED_RECORD = "malformed record"


@dataclass(frozen=True, slots=True)
class BinRecord:
    """One file: `quantity` as it stands there (anything JSON may hold), `fault` where it could not be read."""

    id: str
    quantity: object = None
    items: tuple[str, ...] = ()
    fault: str | None = None


def read_metadata(folder: Path, problem: Callable[[str, str], None]) -> Iterator[BinRecord]:
    """Yield the record of every JSON file in a folder and below, except file_list.json; tell of malformed ones."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            stem, suffix = os.path.splitext(name)  # noqa: PTH122  # half a million names: pathlib takes 10 times as long
            if suffix.lower() != ".json" or name == "file_list.json":
                continue
            if not ids.is_sane(stem):
                problem(name, "malformed id")
                continue
            record = _read(stem, Path(parent, name))
            if record.fault:
                problem(name, record.fault)
            yield record


def _read(photo_id: str, path: Path) -> BinRecord:
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return BinRecord(photo_id, fault=MALFORMED_RECORD)
        return parse_record(photo_id, path.read_bytes())
    except OSError:
        return BinRecord(photo_id, fault=MALFORMED_RECORD)


def parse_record(photo_id: str, data: bytes) -> BinRecord:
    """Parse one record. Without usable items it still has its quantity; the bin is then known by its picture only."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):  # JSONDecodeError, UnicodeDecodeError and endless numbers are ValueErrors
        value = None
    if not isinstance(value, dict):
        return BinRecord(photo_id, fault=MALFORMED_RECORD)
    items = value.get("BIN_FCSKU_DATA")
    return BinRecord(photo_id, value.get("EXPECTED_QUANTITY"), tuple(items) if isinstance(items, dict) else ())
