from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks import serving_quality
from benchmarks.serving_quality import artifact_path, measure
from steps.common.predictor import Predictor
from steps.common.shards import Photo, ShardWriter


def test_the_newest_model_of_the_account_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BINCOUNT_MODEL", raising=False)
    monkeypatch.setenv("BINCOUNT_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="BINCOUNT_MODEL"):
        artifact_path()
    for age, name in enumerate(("new", "old")):
        path = tmp_path / "s3" / "bucket" / name / "model.tar.gz"
        path.parent.mkdir(parents=True)
        path.touch()
        os.utime(path, (1e9 - age, 1e9 - age))
    assert artifact_path().parent.name == "new"


@pytest.mark.parametrize(("wrong", "met"), [(0, True), (3, False)])
def test_the_served_score_is_held_against_torch_s(
    make_artifact: Callable[..., Path],
    make_photo: Callable[..., bytes],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wrong: int,
    met: bool,
) -> None:
    with ShardWriter(tmp_path / "test", "shard") as writer:
        for number in range(20):
            shown = number % 5 + 1 if number >= wrong else (number + 1) % 5 + 1
            writer.write(Photo(str(number), number % 5 + 1, f"g{number}", make_photo(shown)))
    monkeypatch.setenv("BINCOUNT_MODEL", str(make_artifact()))
    monkeypatch.setenv("BINCOUNT_TEST", str(tmp_path / "test"))
    perfect = np.eye(5, dtype=np.float32)[np.arange(20) % 5]
    monkeypatch.setattr(serving_quality, "torch_logits", lambda *_: perfect)
    (figure,) = measure()
    assert figure.met is met
    assert f"the same answer on {(20 - wrong) / 20:.1%} of 20" in figure.note


def test_weights_of_another_model_are_noticed(
    make_artifact: Callable[..., Path], make_photo: Callable[..., bytes]
) -> None:
    from safetensors.torch import save_file

    from steps.train.backbones import build

    folder = make_artifact(backbone="resnet18", image_size=32)
    save_file(build("resnet18", 0.0, 0.0, 32).backbone.state_dict(), folder / "model.safetensors")
    photos = np.stack([Predictor(folder).prepare(make_photo(1))] * 2)
    with pytest.raises(RuntimeError, match="not of the same model"):
        serving_quality.torch_logits(folder, photos)


@pytest.mark.parametrize("augment", [0.7, 0.0])
def test_the_weights_answer_with_the_border_that_the_model_was_trained_for(tmp_path: Path, augment: float) -> None:
    from safetensors.torch import save_file

    from steps.common.artifact import ModelSpec
    from steps.common.labels import CLASS_LABELS
    from steps.train.backbones import IMAGENET, build
    from steps.train.border import width
    from steps.train.export import export

    model = build("resnet18", 0.0, 0.0, 32, border=width(32, augment))
    spec = ModelSpec(
        backbone="resnet18",
        image_size=32,
        class_labels=CLASS_LABELS,
        normalization=IMAGENET,
        provenance={"hyperparameters": f'{{"augment": {augment}}}'},
    )
    photos = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    export(tmp_path, model, spec, photos)
    save_file(model.backbone.state_dict(), tmp_path / "model.safetensors")
    np.testing.assert_allclose(
        serving_quality.torch_logits(tmp_path, photos), Predictor(tmp_path).logits(photos), atol=1e-3
    )
