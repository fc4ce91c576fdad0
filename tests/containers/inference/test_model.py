from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from containers.inference.model import Model
from steps.common.artifact import ArtifactError
from steps.common.images import TruncatedError

MakePhoto = Callable[..., bytes]


def test_an_answer_is_what_goes_into_json(model_folder: Path, make_photo: MakePhoto) -> None:
    model = Model(model_folder, "group/7")
    model.warm_up()
    answer = model.answer(make_photo(4))
    assert list(answer) == [
        "predicted_label",
        "predicted_index",
        "confidence",
        "ask_a_person",
        "probabilities",
        "class_labels",
        "model_version",
    ]
    assert (answer["predicted_label"], answer["predicted_index"], answer["model_version"]) == ("4", 3, "group/7")
    assert answer["confidence"] == max(answer["probabilities"])
    lone = model.answer(make_photo(4), alone=True)
    assert lone.pop("probabilities") == pytest.approx(answer.pop("probabilities"), abs=1e-6)
    assert lone.pop("confidence") == pytest.approx(answer.pop("confidence"), abs=1e-6)
    assert lone == answer


def test_a_batch_keeps_its_order(model_folder: Path, make_photo: MakePhoto) -> None:
    model = Model(model_folder)
    prepared = [model.prepare(make_photo(label)) for label in (5, 1, 3)]
    assert [answer["predicted_label"] for answer in model.classify(prepared)] == ["5", "1", "3"]


def test_a_photo_without_bytes_is_empty(model_folder: Path) -> None:
    with pytest.raises(TruncatedError, match="the photo is empty"):
        Model(model_folder).answer(b"")


def test_a_folder_without_a_model_is_none(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"the artifact lacks model\.onnx and model\.json"):
        Model(tmp_path)
