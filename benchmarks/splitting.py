"""Split: photos/s on all cores, and its peak memory as photos become ten times as many.

The peer is the notebook's way, which splits nothing and checks nothing: it copies each file into a folder of its class
and decodes it once with Pillow. Where there are fewer photos they come again, under other ids. Memory is that of the
whole step over small drawn photos, hard links to a hundred files, each with a record of its own: what grows with the
number of photos is what is kept about each, not its pixels.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

from PIL import Image

from benchmarks import notebook
from benchmarks.figures import Figure, at_most, compared, medians, show
from benchmarks.machine import ROOT
from benchmarks.photos import kind, photos_folder

PHOTOS = 3000  # enough that the start of the step is a small part
ROUNDS = 3
SPLIT_BAR = 3.0
MANY = (10_000, 100_000)
SMALL = 96  # pixels of a photo whose pixels do not matter
FILES = 100  # a file takes 65,000 links at most
MEGABYTES = 600.0
ALL = 535_234  # photos of the Amazon Bin Image Dataset


def split(photos: Path, labels: Path, out: Path) -> tuple[float, float]:
    """Run the step in a process of its own; return its seconds, start included, and its peak memory in MB.

    It starts no processes, so that its own peak is all of it.

    Raises:
        RuntimeError: it failed; the message ends its log.
    """
    command = [sys.executable, "-m", "steps.split", "--photos", str(photos), "--labels", str(labels), "--out", str(out)]
    begun = time.perf_counter()
    with tempfile.TemporaryFile("w+") as log:
        job = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(job.pid, 0)
        job.returncode = os.waitstatus_to_exitcode(status)
        if job.returncode:
            log.seek(0)
            raise RuntimeError("Split failed: " + " / ".join(log.read().splitlines()[-5:]))
    return time.perf_counter() - begun, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def peer(folder: Path, out: Path, most: int) -> float:
    """Copy into class folders and decode, as the notebook does; return the seconds."""
    begun = time.perf_counter()
    notebook.copy_into_classes(folder, out, most)
    for path in out.rglob("*.*"):
        Image.open(path).convert("RGB")
    return time.perf_counter() - begun


def repeated(folder: Path, out: Path, count: int) -> Path:
    """Link photos and records again and again, under ids of their own, until there are so many."""
    for part in ("bin-images", "metadata"):
        (out / part).mkdir(parents=True)
    for number, (photo, _) in enumerate(islice(cycle(list(notebook.labelled(folder, count))), count), start=1):
        record = folder / "metadata" / f"{photo.stem}.json"
        (out / "bin-images" / f"{number:06}{photo.suffix}").symlink_to(photo.resolve())
        (out / "metadata" / f"{number:06}.json").symlink_to(record.resolve())
    return out


def many(out: Path, count: int) -> Path:
    """Lay out many photos: hard links to a hundred drawn ones, in bins of their own, two photos a bin."""
    from pipeline.data.synth import synthesize

    drawn = out / "drawn"
    for _ in synthesize(drawn, FILES, seed=7, size=SMALL):
        pass
    files = sorted((drawn / "bin-images").iterdir())
    for part in ("bin-images", "metadata"):
        (out / part).mkdir()
    for number, text in enumerate(_records(count), start=1):
        os.link(files[number % FILES], out / "bin-images" / f"{number:06}.jpg")
        (out / "metadata" / f"{number:06}.json").write_text(text)
    return out


def _records(count: int) -> Iterator[str]:
    for number in range(count):
        quantity = number // 2 % 5 + 1
        size = {"unit": "IN", "value": 4.0}
        item = {"name": f"Some thing of kind {number // 2}", "quantity": quantity}
        item |= {"height": size, "width": size, "length": size, "weight": {"unit": "pounds", "value": 0.5}}
        yield json.dumps({"BIN_FCSKU_DATA": {f"B{number // 2:09}": item}, "EXPECTED_QUANTITY": quantity})


def speed(folder: Path) -> Figure:
    """Return the step's photos a second beside the peer's."""
    with tempfile.TemporaryDirectory() as name:
        chosen = repeated(folder, Path(name, "photos"), PHOTOS)
        outs = (Path(name, f"out-{number}") for number in range(2 * ROUNDS))
        rates = medians(
            ROUNDS,
            ours=lambda: PHOTOS / split(chosen / "bin-images", chosen / "metadata", next(outs))[0],
            peer=lambda: PHOTOS / peer(chosen, next(outs), PHOTOS),
        )
    what = f"Split of {PHOTOS:,} {kind(folder)}, its start included"
    return compared(what, rates["ours"], rates["peer"], "photos/s", "copy into class folders + decode", SPLIT_BAR)


def memory(counts: tuple[int, ...] = MANY) -> list[Figure]:
    """Return the peak memory at each number of photos, and what its growth makes of the whole data set."""
    peaks: list[float] = []
    rows = []
    for count in counts:
        with tempfile.TemporaryDirectory() as name:
            folder = many(Path(name, "photos"), count)
            seconds, peak = split(folder / "bin-images", folder / "metadata", Path(name, "out"))
        peaks.append(peak)
        note = f"{count / seconds:,.0f} small photos/s"
        rows.append(at_most(f"Split's peak memory, {count:,} photos", peak, "MB", MEGABYTES, note))
    return [*rows, growth(counts, peaks)]


def growth(counts: tuple[int, ...], peaks: list[float]) -> Figure:
    """Return what memory comes to with all photos, by the growth from the first to the last of the peaks, MB."""
    each = max(0.0, (peaks[-1] - peaks[0]) / (counts[-1] - counts[0]))
    note = (
        f"{peaks[-1] / peaks[0]:.2f} times from {counts[0]:,} to {counts[-1]:,} photos, {1e6 * each:.0f} bytes a photo"
    )
    what = f"Split's peak memory, {ALL:,} photos, calculated"
    return at_most(what, peaks[-1] + each * (ALL - counts[-1]), "MB", MEGABYTES, note)


def measure() -> list[Figure]:
    """Return speed and memory."""
    return [speed(photos_folder()), *memory()]


if __name__ == "__main__":
    show(measure())
