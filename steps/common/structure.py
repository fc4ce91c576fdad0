"""What a JPEG or PNG consists of, told without decoding it: a few bytes can ask a decoder for minutes of work.

Decoders take a picture's metadata apart piece by piece, join pieces of one kind again with each that comes, and go over
all pixels once a scan. So neither the bytes nor the pixels of a file bound the work, but the number of its parts does.
"""

from __future__ import annotations

import re

MAX_PARTS = 500  # segments, or chunks besides those of pixels: a camera writes some dozens
MAX_SCANS = 100  # of a progressive JPEG, libtiff's limit too: encoders write about 10
MAX_SCANNED = 600_000_000  # pixels that all scans together go over: a dozen times the largest photo's

_START_OF_SCAN, _END = 0xDA, 0xD9
# Stuffed bytes, and markers that Pillow takes no length after (C8 and F0 to FD are reserved: libjpeg refuses them).
_ALONE = frozenset({0x00, 0x01, *range(0xD0, 0xDA), 0xC8, *range(0xF0, 0xFE)})
# No browser shows these; and of no bytes at all, an arithmetic decoder makes as many decisions as it is asked for.
_ARITHMETIC = frozenset({0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
_PIXELS = frozenset({b"IDAT", b"fdAT", b"fcTL"})


def first_scan(jpeg: bytes) -> int | None:
    """Return where a JPEG's first scan starts, -1 if that is past MAX_PARTS; None where there is none.

    Segments are told from other bytes as decoders do it (ITU-T T.81, B.1.1): the thumbnails in them have scans of their
    own. A byte that belongs to none is passed over, and counts like one: decoders look at each.
    """
    place = 2
    for _ in range(MAX_PARTS):
        if place + 4 > len(jpeg):
            return None
        if jpeg[place] != 0xFF or jpeg[place + 1] == 0xFF:
            place += 1
        elif jpeg[place + 1] == _START_OF_SCAN:
            return place
        elif jpeg[place + 1] in _ARITHMETIC:
            return -1
        else:
            place = _behind(jpeg, place)
    return -1


def is_laborious(data: bytes) -> bool:
    """Tell whether a JPEG or PNG has more parts or scans than a picture needs; of other bytes nothing is told."""
    if data.startswith(b"\xff\xd8\xff"):
        start = first_scan(data)
        return start is not None and (start < 0 or _has_more_scans(data, start, MAX_SCANS))
    return data.startswith(b"\x89PNG") and _has_many_chunks(data)


def is_scanned_too_often(jpeg: bytes, pixels: int) -> bool:
    """Tell whether a JPEG of so many pixels has more scans than one so large may have. Only large ones are searched."""
    if pixels * MAX_SCANS <= MAX_SCANNED:
        return False
    start = first_scan(jpeg)
    return start is not None and _has_more_scans(jpeg, start, MAX_SCANNED // pixels)


def _behind(jpeg: bytes, place: int) -> int:
    """Return where the segment at a place ends: behind the two bytes of its length at least, whatever they say."""
    if jpeg[place + 1] in _ALONE:
        return place + 2
    return place + 2 + max(2, int.from_bytes(jpeg[place + 2 : place + 4], "big"))


def _has_more_scans(jpeg: bytes, place: int, limit: int) -> bool:
    scans = 0
    for _ in range(MAX_PARTS):
        found = _MARKER_AFTER_SCAN.search(jpeg, place)
        if found is None or jpeg[found.start() + 1] == _END:
            return False
        scans += jpeg[found.start() + 1] == _START_OF_SCAN
        if scans > limit:
            return True
        place = _behind(jpeg, found.start())
    return True


def _has_many_chunks(png: bytes) -> bool:
    place, parts = 8, 0
    while place < len(png) and parts <= MAX_PARTS:
        kind = png[place + 4 : place + 8]
        if kind == b"IEND":
            break
        parts += kind not in _PIXELS
        place += 12 + int.from_bytes(png[place : place + 4], "big")
    return parts > MAX_PARTS
