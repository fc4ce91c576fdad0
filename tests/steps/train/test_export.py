from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from steps.common.artifact import ModelSpec
from steps.common.labels import CLASS_LABELS
from steps.train import export as exporting
from steps.train.backbones import LITE, PhotoClassifier, build
from steps.train.export import export

SPEC = ModelSpec(backbone="efficientnet_lite0", image_size=32, class_labels=CLASS_LABELS, normalization=LITE)


def some_photos(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.random.default_rng(number).integers(0, 256, (number, 32, 32, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def model() -> PhotoClassifier:
    torch.manual_seed(0)
    return build("efficientnet_lite0", 0.2, 0.1, 32)


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory, model: PhotoClassifier) -> Path:
    folder = tmp_path_factory.mktemp("model")
    assert export(folder, model, SPEC, some_photos(3)) < 1e-3
    return folder


@pytest.mark.parametrize("number", [1, 2, 9])
def test_the_graph_takes_any_number_of_photos_and_agrees_with_torch(
    artifact: Path, model: PhotoClassifier, number: int
) -> None:
    session = onnxruntime.InferenceSession(artifact / "model.onnx")
    (logits,) = session.run(["logits"], {"photos": some_photos(number)})
    with torch.inference_mode():
        expected = model.eval()(torch.from_numpy(some_photos(number))).numpy()
    assert np.allclose(logits, expected, atol=1e-5)


def test_the_graph_is_checked_and_folded(artifact: Path) -> None:
    graph = onnx.load(artifact / "model.onnx")
    onnx.checker.check_model(graph)
    operators = {node.op_type for node in graph.graph.node}
    assert not operators & {"Pad", "BatchNormalization", "Dropout"}
    assert [entry.name for entry in graph.graph.input] == ["photos"]


def test_a_graph_that_answers_otherwise_is_a_fault(
    tmp_path: Path, artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = build("efficientnet_lite0", 0.0, 0.0, 32)
    with torch.no_grad():
        other.backbone.state_dict()["_fc.bias"].add_(1)
    monkeypatch.setattr(exporting, "to_onnx", lambda *_: (artifact / "model.onnx").read_bytes())
    with pytest.raises(RuntimeError, match="answers otherwise"):
        export(tmp_path, other, SPEC, some_photos(2))
