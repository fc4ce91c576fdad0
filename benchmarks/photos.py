"""The photos that benchmarks take: real ones where `BINCOUNT_PHOTOS` names a folder of them, drawn ones else."""

from __future__ import annotations

import os
from pathlib import Path

from benchmarks.machine import ROOT

DRAWN = ROOT / "build" / "benchmark-photos"
SIDE = 500  # pixels of a drawn photo's longer side, about what the Amazon Bin Image Dataset's have


def photos_folder(drawn: int = 1000) -> Path:
    """Return a folder with `bin-images/` and `metadata/`; photos are drawn into `build/` once.

    Args:
        drawn: how many to draw, where there are no real ones.
    """
    given = os.environ.get("BINCOUNT_PHOTOS")
    if given:
        folder = Path(given)
        if not (folder / "bin-images").is_dir():
            raise FileNotFoundError(f"BINCOUNT_PHOTOS={given} has no folder bin-images")
        return folder
    from pipeline.data.synth import synthesize

    folder = DRAWN / f"{drawn}"
    for _ in synthesize(folder, drawn, seed=7, size=SIDE):
        pass
    return folder


def photo_paths(folder: Path) -> list[Path]:
    """Return the photos of a folder, in the order of their names."""
    return sorted((folder / "bin-images").iterdir())


def kind(folder: Path) -> str:
    """Say what the photos are, for a figure's note."""
    return "drawn photos" if folder.is_relative_to(DRAWN) else "real photos"
