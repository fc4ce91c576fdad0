"""The model artifact's files, from the trained weights; and the proof that ONNX Runtime and torch agree."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from steps.common.artifact import ModelSpec
from steps.common.files import atomic_file, write_json
from steps.common.predictor import Predictor
from steps.train.backbones import PhotoClassifier

TOLERANCE = 1e-3  # of the largest logit, or absolute below 1: fp32 on both sides, but other kernels


def export(folder: Path, model: PhotoClassifier, spec: ModelSpec, photos: npt.NDArray[np.uint8]) -> float:
    """Write `model.onnx` and `model.json`, and compare both ways to run the model.

    Args:
        folder: the model's folder.
        model: in float32.
        spec: what goes into `model.json`.
        photos: some to compare on, uint8 [n, size, size, 3].

    Returns:
        The largest difference of a logit.

    Raises:
        RuntimeError: the difference is more than rounding.
    """
    model = model.cpu().eval().to(memory_format=torch.contiguous_format)
    with atomic_file(folder / "model.onnx") as file:
        file.write(to_onnx(model, spec.image_size))
    write_json(folder / "model.json", spec.model_dump(mode="json"))
    with torch.inference_mode():
        expected = model(torch.from_numpy(photos)).numpy()
    difference = float(np.abs(Predictor(folder).logits(photos) - expected).max())
    if difference > TOLERANCE * max(1.0, float(np.abs(expected).max())):
        raise RuntimeError(f"model.onnx answers otherwise than the model it was made from, by {difference:.2g}")
    return difference


def to_onnx(model: PhotoClassifier, size: int) -> bytes:
    """Return the graph: `photos` uint8 [batch, size, size, 3] in, `logits` float32 [batch, classes] out.

    By torch's exporter of 2.9 and later (torch.export): the older one, which is faster, is deprecated, warns by the
    hundred and leaves padding unfolded.
    """
    # Two photos: torch.export takes a dimension of one for a constant.
    example = torch.zeros((2, size, size, 3), dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # from inside torch and onnxscript
        program = torch.onnx.export(
            model,
            (example,),
            input_names=["photos"],
            output_names=["logits"],
            dynamic_shapes={"photos": {0: torch.export.Dim("batch")}},
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    assert program is not None  # noqa: S101 - for the type checker: it is with dynamo=True
    graph: bytes = program.model_proto.SerializeToString()
    return graph
