"""How cost grows: Split, the input pipeline and training with some photos and with ten times as many.

The photos are the same ones again, under other ids. What they take a second at the larger size is what docs/scale.md
calculates the whole data set from; this benchmark writes its tables.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import jobs, loading, training
from benchmarks.document import merge
from benchmarks.figures import Figure, markdown, show
from benchmarks.full_size import PHOTOS, Rates, rows, table
from benchmarks.machine import ROOT, commit, cores, day, machine
from benchmarks.photos import kind, photos_folder
from benchmarks.shards import write_shards
from benchmarks.splitting import repeated, split

PAGE = ROOT / "docs" / "scale.md"
TIMES = 10
SPLIT, LOADED, TRAINED = 300, 300, 64  # photos of the smaller size
KEPT = 0.8  # of the speed, at ten times the photos: what is still called the same


def split_rate(photos: Path, count: int, out: Path) -> float:
    """Return the photos a second of a Split, its start included."""
    chosen = repeated(photos, out / "photos", count)
    return count / split(chosen / "bin-images", chosen / "metadata", out / "shards")[0]


def load_rate(photos: Path, count: int, out: Path) -> float:
    """Return the photos a second of the input pipeline."""
    from steps.train.data import open_channel

    write_shards(repeated(photos, out / "photos", count), out / "shards", count, loading.SPLIT_SIZE)
    channel = open_channel(out / "shards", loading.SIZE, seed=0, strength=loading.STRENGTH)
    with ThreadPoolExecutor(cores()) as pool:
        return loading.rate(count, lambda: loading.ours(channel, pool))


def train_rate(photos: Path, count: int, out: Path) -> float:
    """Return the images a second of a training job's second epoch, with the backbone of the profile `prod`."""
    from pipeline.settings import load_settings

    wanted = load_settings("prod").hyperparameters
    training.write_channels(repeated(photos, out / "photos", count), out / "channels", count)
    told = {"epochs": 2, "backbone": wanted.backbone, "image_size": wanted.image_size}
    return jobs.train(out / "job", out / "channels", {**training.PARAMETERS, **told})


def measure() -> list[Figure]:
    """Return the speeds at both sizes, and write the page."""
    photos = photos_folder()
    figures, large = [], []
    works = (("Split", SPLIT, split_rate), ("input pipeline", LOADED, load_rate), ("training", TRAINED, train_rate))
    for what, count, work in works:
        with tempfile.TemporaryDirectory() as name:
            once, again = (work(photos, times * count, Path(name, str(times))) for times in (1, TIMES))
        large.append(again)
        figures.append(row(what, count, once, again))
    write_page(figures, Rates(*(rate / cores() for rate in large)), kind(photos))
    return figures


def row(what: str, count: int, once: float, again: float) -> Figure:
    """Return the row of a work's speeds (photos/s) with `count` photos and with ten times as many."""
    return Figure(
        f"{what}, {TIMES * count:,} photos",
        f"{again:,.1f} photos/s",
        f"{count:,} photos: {once:,.1f} photos/s",
        again / once,
        f"at least {KEPT:g}x",
        again / once >= KEPT,
    )


def write_page(figures: list[Figure], rates: Rates, photos: str) -> None:
    """Write both tables into docs/scale.md: what was measured, and what follows for the whole data set."""
    from pipeline.cost.prices import load_prices
    from pipeline.settings import load_settings

    prices = load_prices()
    taken = f"`python -m benchmarks.scale` on {photos}. {day()}, {commit()}, {machine()}."
    a_core = f"A core here: {rates.split:.0f} photos/s split, {rates.load:.0f} prepared, {rates.train:.1f} trained on."
    calculated = table(rows(rates, load_settings("prod"), prices))
    priced = f"Prices of {prices.date:%Y-%m-%d}, {prices.region}: {prices.source}."
    text = (
        f"### Measured\n\n{markdown(figures)}\n{taken}\n\n"
        f"### Calculated: all {PHOTOS:,} photos\n\n{a_core}\n\n{calculated}\n{priced}\n"
    )
    PAGE.write_text(merge(PAGE.read_text(encoding="utf-8"), "scale", text), encoding="utf-8")


if __name__ == "__main__":
    show(measure())
