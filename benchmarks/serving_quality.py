"""What serving costs in score: the artifact in the engine that it names, beside the fp32 torch model of its weights.

Both are calibrated and answer as the artifact says.

The artifact is the one of `BINCOUNT_MODEL` (a folder or a model.tar.gz), else the newest of the local account; nothing
is trained. `BINCOUNT_TEST` names a folder of Split's test or validation shards. Without it the photos are those of
`BINCOUNT_PHOTOS`, or drawn: the model may have been trained on them, which raises both scores, not their difference.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.figures import Figure, show
from benchmarks.photos import kind, photo_paths, photos_folder

BAR = -0.005  # of macro-F1
MOST = 2000
BATCH = 32
AGREE = 1e-3  # of a logit: torch and ONNX Runtime in fp32

Photos = npt.NDArray[np.uint8]
Logits = npt.NDArray[np.float32]


def artifact_path() -> Path:
    """Return where the artifact is. Raises FileNotFoundError, with what to do, where there is none."""
    if given := os.environ.get("BINCOUNT_MODEL"):
        return Path(given)
    from pipeline.local.home import Home

    found = sorted(Home.find().s3.rglob("model.tar.gz"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise FileNotFoundError("no model was trained here: train one, or set BINCOUNT_MODEL to a model.tar.gz")
    return found[-1]


def labelled() -> tuple[list[tuple[bytes, int]], str]:
    """Return photos with their counts, 1 to 5, and what they are."""
    if given := os.environ.get("BINCOUNT_TEST"):
        from steps.common.shards import ShardDataset

        return [(photo.image, photo.label) for photo in ShardDataset(Path(given))][:MOST], "photos of Split's shards"
    folder = photos_folder()
    return list(_of_folder(folder)), kind(folder)


def _of_folder(folder: Path) -> Iterator[tuple[bytes, int]]:
    from steps.common.labels import LABELS

    for path in photo_paths(folder)[:MOST]:
        record = folder / "metadata" / f"{path.stem}.json"
        count = json.loads(record.read_text(encoding="utf-8"))["EXPECTED_QUANTITY"] if record.is_file() else None
        if count in LABELS:
            yield path.read_bytes(), int(count)


def torch_logits(folder: Path, photos: Photos) -> Logits:
    """Return what the weights of an artifact answer in fp32 torch."""
    import torch
    from safetensors.torch import load_file

    from steps.common.artifact import read_spec
    from steps.common.engines import open_graph
    from steps.train.backbones import FAMILIES, build
    from steps.train.border import width
    from steps.train.classes import SERVED, WIDE

    spec, state = read_spec(folder), load_file(folder / "model.safetensors")
    outputs = next(len(state[name]) for name in reversed(state) if name.startswith(FAMILIES[spec.backbone].head))
    exact = open_graph(folder / "model.onnx", "onnxruntime", spec.image_size, 0)(photos[:2])
    told = json.loads(spec.provenance.get("hyperparameters", "{}"))
    # The weights do not say whether the head's first outputs count from 0 or from 1, and old ones know no border.
    for classes, augment in product((SERVED, WIDE), (told.get("augment", 0.0), 0.0)):
        if outputs < classes.number:
            continue
        head = replace(classes, extra=outputs - classes.number)
        model = build(spec.backbone, 0.0, 0.0, spec.image_size, head, width(spec.image_size, augment))
        model.backbone.load_state_dict(state)
        model.eval()
        with torch.inference_mode():
            off = np.abs(model(torch.from_numpy(photos[:2])).numpy() - exact).max()
            if off <= AGREE * max(1.0, np.abs(exact).max()):
                return np.concatenate([model(torch.from_numpy(part)).numpy() for part in _parts(photos)])
    raise RuntimeError("model.safetensors and model.onnx of the artifact are not of the same model")


def _parts(photos: Photos) -> list[Photos]:
    return [photos[at : at + BATCH] for at in range(0, len(photos), BATCH)]


def measure() -> list[Figure]:
    """Score the served artifact and the torch model on the same photos."""
    from steps.common import metrics
    from steps.common.artifact import open_artifact
    from steps.common.decision import decide
    from steps.common.labels import CLASSES, LABELS
    from steps.common.predictor import Predictor

    examples, what = labelled()
    targets = np.array([count - LABELS[0] for _, count in examples], dtype=np.int64)
    with open_artifact(artifact_path()) as folder:
        predictor = Predictor(folder)
        photos = np.stack([predictor.prepare(photo) for photo, _ in examples])
        logits = np.concatenate([predictor.logits(part) for part in _parts(photos)]), torch_logits(folder, photos)
    served, exact = (decide(predictor.calibrate(some), predictor.spec.near_credit)[0] for some in logits)
    scores = [metrics.macro_f1(metrics.confusion_matrix(targets, answers, CLASSES)) for answers in (served, exact)]
    same = f"the same answer on {np.mean(served == exact):.1%} of {len(targets)} {what}"
    return [
        Figure(
            "macro-F1 of the served artifact",
            f"{scores[0]:.4f}",
            f"fp32 torch: {scores[1]:.4f}",
            bar=f"at most {-BAR} below",
            met=scores[0] - scores[1] >= BAR,
            note=f"{scores[0] - scores[1]:+.4f}; {predictor.spec.engine}; {same}",
        )
    ]


if __name__ == "__main__":
    show(measure())
