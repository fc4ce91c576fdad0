"""The artifact that the serving benchmarks serve: the folder that `BINCOUNT_MODEL` names, else one that is built.

Speed does not depend on what the weights have learned, so the one that is built has ImageNet's. It has the backbone and
the size of the profile `local`, and the engine that training chooses on such a processor.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.machine import ROOT
from steps.common.artifact import Engine

if TYPE_CHECKING:
    from pipeline.job_settings import Hyperparameters

BUILT = ROOT / "build" / "benchmark-model"


def artifact() -> Path:
    """Return the folder of an unpacked artifact. It is built into `build/` once for each backbone and size."""
    given = os.environ.get("BINCOUNT_MODEL")
    if given:
        folder = Path(given).resolve()
        if not (folder / "model.json").is_file():
            raise FileNotFoundError(f"BINCOUNT_MODEL={given} is no unpacked model.tar.gz: it has no model.json")
        return folder
    from pipeline.settings import load_settings

    wanted = load_settings("local").hyperparameters
    from steps.common.engines import number_format
    from steps.common.processor import flags

    engine: Engine = "openvino" if number_format(flags()) == "bf16" else "onnxruntime"
    folder = BUILT / f"{wanted.backbone}-{wanted.image_size}-{wanted.augment}-{engine}"
    if not (folder / "model.json").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _build(folder, wanted, engine)
    return folder


def _build(folder: Path, wanted: Hyperparameters, engine: Engine) -> None:
    import numpy as np

    from steps.common.artifact import ModelSpec
    from steps.common.files import write_json
    from steps.common.labels import CLASS_LABELS
    from steps.train.backbones import FAMILIES, build
    from steps.train.border import width
    from steps.train.export import export
    from steps.train.weights import load

    backbone, size = wanted.backbone, wanted.image_size
    model = build(backbone, 0.0, 0.0, size, border=width(size, wanted.augment))
    load(model.backbone, backbone, "package", folder)
    spec = ModelSpec(
        backbone=backbone,
        image_size=size,
        class_labels=CLASS_LABELS,
        normalization=FAMILIES[backbone].normalization,
        provenance={"weights": "ImageNet"},
    )
    export(folder, model, spec, np.random.default_rng(0).integers(0, 256, (4, size, size, 3), dtype=np.uint8))
    write_json(folder / "model.json", spec.model_copy(update={"engine": engine}).model_dump(mode="json"))
