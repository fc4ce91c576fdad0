"""Drawn photos of bins with their records, for demonstrations and tests: a network learns to count on them in minutes.

The layout is that of the Amazon Bin Image Dataset: `bin-images/00001.jpg` and `metadata/00001.json`.

The same arguments give the same bytes (with one version of Pillow), and more photos leave the first ones as they were.
"""

from __future__ import annotations

import io
import json
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from pipeline.data.bins import Bin, draw_bin, random_bin
from pipeline.data.items import Item, seeded
from pipeline.errors import UserError

LABELS = (1, 2, 3, 4, 5)
BREAKAGES = ("truncated", "not a picture", "too many items", "no items", "no record")
NOTE = "synth.json"  # says what was asked for, and whether it was finished
_INCHES = 20  # what the bin's shorter side measures


@dataclass(frozen=True)
class Plan:
    """Photos `first` to `first + shots - 1` show the bin number `number` of the seed."""

    seed: int
    number: int
    first: int
    shots: int


def plan(photos: int, seed: int) -> Iterator[Plan]:
    """Decide which photos show the same bin: most bins have one photo, some two or three."""
    rng = seeded(f"{seed} shots")
    first, number = 1, 0
    while first <= photos:
        shots = rng.choices((1, 2, 3), (70, 20, 10))[0]
        yield Plan(seed, number, first, min(shots, photos + 1 - first))
        first, number = first + shots, number + 1


def synthesize(out: Path, photos: int, seed: int, size: int, broken: int = 0) -> Iterator[int]:
    """Write the photos and their records, and yield how many were written since the last time.

    Args:
        out: folder that gets `bin-images/` and `metadata/`; when it holds the photos of the same arguments already,
            nothing is done.
        photos: number of good photos.
        seed: any whole number.
        size: longer side of a photo, pixels.
        broken: photos more that nobody can use, one of each of BREAKAGES in turn.

    Raises:
        UserError: the folder cannot be written, or holds something else.
    """
    request = {"photos": photos, "seed": seed, "size": size, "broken": broken}
    if _claim(out, request):
        yield photos + broken
        return
    plans = list(plan(photos, seed))
    workers = min(os.cpu_count() or 1, 1 + photos // 100)
    write = partial(_write_bin, out, size)
    if workers == 1:
        yield from map(write, plans)
    else:
        with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
            yield from pool.map(write, plans, chunksize=8)
    for index in range(broken):
        _write_broken(out, photos + 1 + index, BREAKAGES[index % len(BREAKAGES)], seed, size)
        yield 1
    _note(out, request, complete=True)


def _claim(out: Path, request: dict[str, int]) -> bool:
    """Make the folder ready, and say whether all of the request is there. Raises UserError."""
    try:
        note = json.loads((out / NOTE).read_bytes()) if (out / NOTE).is_file() else {}
        if isinstance(note, dict) and {name: note.get(name) for name in request} == request:
            if note.get("complete"):
                return True
        elif out.exists() and any(out.iterdir()):
            raise UserError(f"{out} holds other files: name an empty or a new folder")
        for folder in ("bin-images", "metadata"):
            (out / folder).mkdir(parents=True, exist_ok=True)
        _note(out, request, complete=False)
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"cannot use {out}: {error}") from None
    return False


def _note(out: Path, request: dict[str, int], *, complete: bool) -> None:
    (out / NOTE).write_text(json.dumps({**request, "complete": complete}) + "\n", encoding="utf-8")


def bin_of(plan: Plan) -> Bin:
    """Return the bin that a plan's photos show."""
    rng = seeded(f"{plan.seed} bin {plan.number}")
    return random_bin(rng, rng.choice(LABELS))


def record(items: tuple[Item, ...]) -> dict[str, Any]:
    """Return the inventory record of a bin, as the dataset has it."""
    counts = Counter(item.asin for item in items)
    products = {item.asin: _product(item, counts[item.asin]) for item in items}
    return {"BIN_FCSKU_DATA": products, "EXPECTED_QUANTITY": len(items)}


def _product(item: Item, quantity: int) -> dict[str, Any]:
    inches = [round(side * _INCHES, 1) for side in (item.width, item.height, min(item.width, item.height))]
    sides = zip(("length", "height", "width"), inches, strict=True)
    return {
        "asin": item.asin,
        **{side: {"unit": "IN", "value": value} for side, value in sides},
        "name": item.name,
        "normalizedName": item.name,
        "quantity": quantity,
        "weight": {"unit": "pounds", "value": round(inches[0] * inches[1] * inches[2] / 400, 2)},
    }


def _write_bin(out: Path, size: int, plan: Plan) -> int:
    bin_ = bin_of(plan)
    for offset, photo in enumerate(draw_bin(bin_, plan.shots, size)):
        _write(out, plan.first + offset, _jpeg(photo), record(bin_.items))
    return plan.shots


def _write_broken(out: Path, number: int, how: str, seed: int, size: int) -> None:
    bin_ = random_bin(seeded(f"{seed} broken {number}"), 7 if how == "too many items" else 2)
    data = _jpeg(draw_bin(bin_, 1, size)[0])
    label = record(() if how == "no items" else bin_.items)
    if how == "truncated":
        data = data[: len(data) // 3]
    elif how == "not a picture":
        data = b"<html><body>503 Slow Down</body></html>\n"
    _write(out, number, data, None if how == "no record" else label)


def _jpeg(photo: Image.Image) -> bytes:
    buffer = io.BytesIO()
    photo.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def _write(out: Path, number: int, data: bytes, label: dict[str, Any] | None) -> None:
    (out / "bin-images" / f"{number:05}.jpg").write_bytes(data)
    if label is not None:
        (out / "metadata" / f"{number:05}.json").write_text(json.dumps(label, indent=1) + "\n", encoding="utf-8")
