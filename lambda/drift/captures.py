"""Data capture's files, read within bounds: of objects, bytes, answers and time.

A busy endpoint writes more in a day than a function can read. Its files are read in an order that has nothing to do
with when they were written, so that what is read when a bound is reached is a sample of the whole window.
"""

from __future__ import annotations

import hashlib
import heapq
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from drift.answers import Tally
from drift.errors import is_missing
from drift.event import Question
from drift.production import VARIANT, Place

if TYPE_CHECKING:
    from drift.environment import Environment

_CHUNK = 1 << 20
_LONGEST_LINE = 24 << 20  # two sides of 6 MiB in base64, and room


@dataclass(frozen=True)
class Limits:
    """What reading may take."""

    deadline: float
    """On the monotonic clock."""
    objects: int = 20_000
    bytes: int = 4 << 30
    answers: int = 50_000
    """More tell nothing new: chance adds less than 0.001 to an index then."""


def read(environment: Environment, where: Place, question: Question, tally: Tally, limits: Limits) -> bool:
    """Count the answers of the window. Returns whether all of them were read, or else a sample.

    Args:
        environment: the account.
        where: data capture's destination.
        question: the endpoint and the window.
        tally: what the answers are added to.
        limits: of what is read.
    """
    listed = heapq.nsmallest(limits.objects + 1, _keys(environment, where, question), key=_order)
    left = limits.bytes
    for key in listed[: limits.objects]:
        for line, size in _lines(environment, where.bucket, key):
            left -= size
            if line is None:
                tally.unreadable += 1
            elif line:
                tally.add_line(line, question.window)
            if left < 0 or tally.answers >= limits.answers or time.monotonic() > limits.deadline:
                return False
    return len(listed) <= limits.objects


def _order(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _keys(environment: Environment, where: Place, question: Question) -> Iterator[str]:
    pages = environment.s3.get_paginator("list_objects_v2")
    for folder in question.window.folders():
        prefix = f"{where.key}/{question.endpoint}/{VARIANT}/{folder}/"
        for page in pages.paginate(Bucket=where.bucket, Prefix=prefix):
            yield from (one["Key"] for one in page.get("Contents", []) if one["Key"].endswith(".jsonl"))


def _lines(environment: Environment, bucket: str, key: str) -> Iterator[tuple[bytes | None, int]]:
    """Yield an object's lines, each with the bytes that were read since the last; None for one that is too long."""
    try:
        body: Any = environment.s3.get_object(Bucket=bucket, Key=key)["Body"]
    except ClientError as error:
        if is_missing(error):  # its lifetime ended since it was listed
            return
        raise
    with body:
        pending: list[bytes] = []
        held, skipping = 0, False
        while chunk := body.read(_CHUNK):
            first, *others = chunk.split(b"\n")
            size = len(chunk)
            for part in others:
                yield (None if skipping else b"".join([*pending, first])), size
                pending, held, skipping, first, size = [], 0, False, part, 0
            held += len(first)
            skipping = skipping or held > _LONGEST_LINE
            pending = [] if skipping else [*pending, first]
            yield b"", size
        yield (None if skipping else b"".join(pending)), 0
