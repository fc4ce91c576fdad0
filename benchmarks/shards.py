"""The same photos as Split writes them, for benchmarks of what reads shards."""

from __future__ import annotations

from pathlib import Path

from benchmarks.notebook import labelled


def write_shards(folder: Path, out: Path, most: int, size: int) -> int:
    """Write the first photos with 1 to 5 items into shards, without a split; return how many.

    Args:
        folder: of photos and records.
        out: gets `*.arrow`.
        most: photos.
        size: the shorter side that Split leaves them, pixels.
    """
    from steps.common.shards import Photo, ShardWriter
    from steps.split.items import read_items
    from steps.split.pictures import render

    written = 0
    with ShardWriter(out, "train") as shards:
        for photo, count in labelled(folder, most):
            items = read_items(folder / "metadata", photo.stem)
            shards.write(
                Photo(photo.stem, count, f"record:{photo.stem}", render(photo.read_bytes(), size, "short"), items)
            )
            written += 1
    return written
