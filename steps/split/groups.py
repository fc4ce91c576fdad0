"""The group of each photo: named by the user, else known from item records, else found by perceptual hash."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from steps.common.images import PhotoError
from steps.split.aside import Aside
from steps.split.assign import group_name
from steps.split.neighbours import near_groups
from steps.split.photos import Source
from steps.split.pictures import picture_hash, read_photo
from steps.split.pool import ordered_map

log = logging.getLogger(__name__)

# Measured on 9,730 bin photos: 600 of 600 photos were at most 6 bits from their resized, re-encoded version. Of the
# pairs of different photos at 6 bits, 90 % show one bin by their item records; at 8 bits 45 %, at 10 bits 19 %, and
# from 10 bits on chains of unrelated bins grow into groups of hundreds.
NEAR_BITS = 6


def picture_groups(sources: list[Source], aside: Aside) -> dict[str, str]:
    """Return the groups, by id, of photos (in natural order) that look alike; those that do not decode are rejected."""
    kept: list[str] = []
    hashes: list[int] = []
    for source, found in zip(sources, ordered_map(_hash, sources), strict=True):
        if isinstance(found, PhotoError):
            aside.add("rejected", source.id, found.reason)
            continue
        kept.append(source.id)
        hashes.append(found)
        if len(kept) % 5000 == 0:
            log.info("compared %s of %s photos without item records", f"{len(kept):,}", f"{len(sources):,}")
    smallest = near_groups(np.array(hashes, dtype=np.uint64), NEAR_BITS)
    return {photo_id: group_name("picture", kept[index]) for photo_id, index in zip(kept, smallest, strict=True)}


def _hash(source: Source) -> int | PhotoError:
    try:
        return picture_hash(read_photo(Path(source.path)))
    except PhotoError as error:
        return error
