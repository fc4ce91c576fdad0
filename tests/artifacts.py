"""A model that is small enough to reason about: it counts by brightness."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save
from PIL import Image

SIZE = 16
LEVELS = (25, 75, 125, 175, 225)  # the gray that stands for 1 to 5 items


def brightness_model(path: Path, levels: Sequence[int] = LEVELS, batch: str | int = "n", scale: float = 0.002) -> None:
    """Write a graph uint8 [n, side, side, 3] -> logits -scale * (brightness - level)^2, up to what softmax drops."""
    centres = np.array(levels, dtype=np.float32)
    weights = numpy_helper.from_array((2 * scale * centres)[None, :], "weights")
    bias = numpy_helper.from_array(-scale * centres**2, "bias")
    axes = numpy_helper.from_array(np.array([1, 2, 3], dtype=np.int64), "axes")
    nodes = [
        helper.make_node("Cast", ["photos"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "axes"], ["mean"], keepdims=0),
        helper.make_node("Unsqueeze", ["mean", "last"], ["column"]),
        helper.make_node("MatMul", ["column", "weights"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "brightness",
        [helper.make_tensor_value_info("photos", TensorProto.UINT8, [batch, "h", "w", 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [batch, len(levels)])],
        [weights, bias, axes, numpy_helper.from_array(np.array([1], dtype=np.int64), "last")],
    )
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)


def spec(**changes: Any) -> dict[str, Any]:
    """Return a valid model.json."""
    return {
        "format": "bincount-model-1",
        "backbone": "brightness",
        "image_size": SIZE,
        "class_labels": ["1", "2", "3", "4", "5"],
        "normalization": {"mean": [0, 0, 0], "std": [1, 1, 1]},
        "provenance": {"commit": "0123456789ab"},
        **changes,
    }


def photo(label: int, shift: int = 0) -> bytes:
    """Return a gray photo, a JPEG of 32 x 24, of the level that stands for a label."""
    level = LEVELS[label - 1] + shift
    file = io.BytesIO()
    Image.new("RGB", (32, 24), (level, level, level)).save(file, "JPEG")
    return file.getvalue()


def artifact(
    folder: Path,
    *,
    archive: Path | None = None,
    files: dict[str, bytes] | None = None,
    graph: dict[str, Any] | None = None,
    **changes: Any,
) -> Path:
    """Make a model folder, with the changes to its model.json, or its model.tar.gz where `archive` names one."""
    folder.mkdir(parents=True)
    brightness_model(folder / "model.onnx", **(graph or {}))
    (folder / "model.json").write_text(json.dumps(spec(**changes)))
    for file, content in (files or {}).items():
        (folder / file).write_bytes(content)
    if archive is None:
        return folder
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, arcname=".")
    return archive
