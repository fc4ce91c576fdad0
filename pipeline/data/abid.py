"""The Amazon Bin Image Dataset: where it lies, how people list its photos, and what a sound photo and record are.

Photos and records are `bin-images/<id>.jpg` and `metadata/<id>.json` of one public bucket. Low ids are spelled with
leading zeros (`00710`) or without (`710`), and both spellings of a number may be photos of different bins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from pipeline.data.selection import METADATA, PHOTOS
from pipeline.errors import UserError

BUCKET = "aft-vbi-pds"
REGION = "us-east-1"
FILE_LIST = f"{METADATA}/file_list.json"
# The largest known are 0.2 MB and 10 KB. What is larger by so much is not what it is said to be.
MAX_PHOTO_BYTES = 20 * 2**20
MAX_RECORD_BYTES = 4 * 2**20
_ID = re.compile(r"[0-9]{1,9}")
_PADDED = 5
_START, _END = b"\xff\xd8\xff", b"\xff\xd9"  # of every JPEG


@dataclass(frozen=True)
class Item:
    """A photo with its record: the spellings of its id to try, its label where a list gives one, the photo's bytes."""

    id: str
    spellings: tuple[str, ...]
    label: str | None = None
    size: int | None = None


def photo_key(id: str) -> str:
    """Return the key of a photo, in the public bucket and below a DataUri."""
    return f"{PHOTOS}/{id}.jpg"


def record_key(id: str) -> str:
    """Return the key of a photo's record."""
    return f"{METADATA}/{id}.json"


def is_id(text: str) -> bool:
    """Say whether a text may be an id of the data set: digits, so that no path can hide in it."""
    return _ID.fullmatch(text) is not None


def read_list(path: Path, limit: int | None = None) -> list[Item]:
    """Read which photos are wanted: ids by label as JSON (`file_list.json` of the usual subset), or an id a line.

    In either, an id may be the name of a file (`data/metadata/00710.json`); in a text, lines with # say nothing.

    Args:
        path: the list.
        limit: take no more than so many, the first ones.

    Raises:
        UserError: it cannot be read, names nothing, or names what is no id.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path}: {error}") from None
    labels: dict[str, str | None] = {}
    for name, label in islice(_names(text, path), limit):
        id = PurePosixPath(name).stem
        if not is_id(id):
            raise UserError(f"{path} names {name!r:.60}, which is no id of the data set: ids are digits, as 00710")
        if labels.setdefault(id, label) != label:
            raise UserError(f"{path} lists {id} under {labels[id]} and under {label}: leave one of them")
    if not labels:
        raise UserError(f"{path} names no photo: it needs an id a line, or ids by label as JSON")
    return [Item(id, spellings(id, labels), label) for id, label in labels.items()]


def _names(text: str, path: Path) -> Iterator[tuple[str, str | None]]:
    if not text.lstrip().startswith(("{", "[")):
        yield from ((line.strip(), None) for line in text.splitlines() if line.strip() and not line.startswith("#"))
        return
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserError(f"cannot read {path}: {error}") from None
    if not isinstance(listed, dict) or not all(isinstance(names, list) for names in listed.values()):
        raise UserError(f'{path} is no list of files by label: it needs {{"1": ["data/metadata/00710.json", ...]}}')
    yield from ((str(name), label) for label, names in listed.items() for name in names)


def spellings(id: str, listed: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the spellings to try, the given one first.

    One that is listed as well means a bin of its own, and is not tried.
    """
    bare = id.lstrip("0") or "0"
    return (id, *(other for other in dict.fromkeys((bare, bare.zfill(_PADDED))) if other != id and other not in listed))


def pairs(photos: Mapping[str, int], records: Mapping[str, int]) -> tuple[list[Item], list[tuple[str, str]]]:
    """Return what of a whole listing (bytes by key) is a photo with its record, and the ids of the others, with why."""
    photo_ids, record_ids = _ids(photos, PHOTOS, ".jpg"), _ids(records, METADATA, ".json")
    whole = sorted(photo_ids.keys() & record_ids.keys())
    items = [Item(id, (id,), None, photo_ids[id]) for id in whole]
    single = [(id, "no record") for id in photo_ids.keys() - record_ids.keys()]
    single += [(id, "no photo") for id in record_ids.keys() - photo_ids.keys()]
    return items, sorted(single)


def _ids(keys: Mapping[str, int], folder: str, suffix: str) -> dict[str, int]:
    stems = ((key.removeprefix(f"{folder}/").removesuffix(suffix), key, size) for key, size in keys.items())
    return {stem: size for stem, key, size in stems if is_id(stem) and key == f"{folder}/{stem}{suffix}"}


def photo_fault(content: bytes) -> str | None:
    """Return why bytes are no whole JPEG, None where they look like one."""
    return photo_ends_fault(content[: len(_START)], content[-len(_END) :])


def photo_ends_fault(start: bytes, end: bytes) -> str | None:
    """Return the same of a photo's first three and last two bytes."""
    if start != _START:
        return "no JPEG"
    return None if end == _END else "a JPEG without its end"


def record_fault(content: bytes, label: str | None = None) -> str | None:
    """Return why bytes are no record of a bin, None where they are one; with `label`, of a bin with so many items."""
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return "no JSON record"
    if not isinstance(record, dict):
        return "no JSON record"
    if label is not None and str(record.get("EXPECTED_QUANTITY")) != label:
        return "another bin under the other spelling"
    return None


def file_list(items: Sequence[Item]) -> str | None:
    """Return the text of a file_list.json with these items; None where they have no labels: the records have them."""
    by_label: dict[str, list[str]] = {}
    for item in items:
        if item.label is None:
            return None
        by_label.setdefault(item.label, []).append(record_key(item.id))
    return json.dumps(by_label, indent=0)
