"""Count the items in photos: one JSON object a line, in the order of the arguments.

    python -m steps.evaluate.predict --model model.tar.gz photo.jpg other.jpg

A photo that cannot be used gives {"file", "error"}, and the exit code 1 when all others are done.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from steps.common.images import PhotoError
from steps.common.job import JobError
from steps.common.predictor import Predictor
from steps.evaluate.models import blame, open_model
from steps.evaluate.sources import read_photo

BATCH = 16


def predict(predictor: Predictor, photos: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Yield one answer or error for each file, in order."""
    for start in range(0, len(photos), BATCH):
        some = photos[start : start + BATCH]
        prepared = [_prepare(predictor, path) for path in some]
        usable = [photo for photo in prepared if not isinstance(photo, PhotoError)]
        answers = iter(predictor.classify(np.stack(usable)) if usable else [])
        for path, photo in zip(some, prepared, strict=True):
            if isinstance(photo, PhotoError):
                yield {"file": str(path), "error": str(photo)}
            else:
                yield {"file": str(path), **asdict(next(answers)), "class_labels": predictor.spec.class_labels}


def _prepare(predictor: Predictor, path: Path) -> npt.NDArray[np.uint8] | PhotoError:
    try:
        return predictor.prepare(read_photo(path))
    except PhotoError as error:
        return error


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit code is 1 where a photo, or the artifact, could not be used."""
    parser = argparse.ArgumentParser("python -m steps.evaluate.predict", description="Count the items in photos.")
    parser.add_argument("--model", type=Path, required=True, help="model.tar.gz, or the folder of an unpacked one")
    parser.add_argument("photos", type=Path, nargs="+", metavar="IMAGE", help="photos")
    options = parser.parse_args(arguments)
    failed = False
    try:
        with open_model(options.model, "model") as model, blame("model"):
            for line in predict(model.predictor, options.photos):
                failed |= "error" in line
                print(json.dumps(line, allow_nan=False), flush=True)
    except JobError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
