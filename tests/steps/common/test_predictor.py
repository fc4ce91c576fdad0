from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, load, numpy_helper, save
from PIL import Image

from steps.common.artifact import ArtifactError, Engine
from steps.common.images import PhotoError
from steps.common.predictor import Predictor

Make = Callable[..., Path]
MakePhoto = Callable[..., bytes]


def test_photos_are_counted_in_their_order(make_artifact: Make, make_photo: MakePhoto) -> None:
    answers = Predictor(make_artifact(), threads=1).predict([make_photo(label) for label in (3, 1, 5)])
    assert [answer.predicted_label for answer in answers] == ["3", "1", "5"]
    assert [answer.predicted_index for answer in answers] == [2, 0, 4]
    for answer in answers:
        assert answer.confidence == max(answer.probabilities)
        assert sum(answer.probabilities) == pytest.approx(1)


def test_no_photos_give_no_answers(make_artifact: Make) -> None:
    assert Predictor(make_artifact(), threads=1).predict([]) == []


def test_labels_follow_model_json(make_artifact: Make, make_photo: MakePhoto) -> None:
    folder = make_artifact(class_labels=["a", "b", "c", "d", "e"])
    assert Predictor(folder, threads=1).predict([make_photo(4)])[0].predicted_label == "d"


def test_a_photo_of_any_shape_keeps_its_whole_frame(make_artifact: Make) -> None:
    prepared = Predictor(make_artifact(), threads=1).prepare(wide_photo())
    assert prepared.shape == (16, 16, 3)
    assert prepared[:, 0].mean() < 30  # the dark left and the bright right edge are both still there
    assert prepared[:, -1].mean() > 220


def wide_photo() -> bytes:
    image = Image.new("RGB", (400, 40))
    image.paste((255, 255, 255), (200, 0, 400, 40))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def test_a_higher_temperature_lowers_the_confidence_only(make_artifact: Make, make_photo: MakePhoto) -> None:
    photo = make_photo(2, shift=10)
    sharp = Predictor(make_artifact("a"), threads=1).predict([photo])[0]
    soft = Predictor(make_artifact("b", temperature=3.0), threads=1).predict([photo])[0]
    assert soft.predicted_label == sharp.predicted_label
    assert soft.confidence < sharp.confidence


def test_near_misses_count_where_the_artifact_says_so(make_artifact: Make, make_photo: MakePhoto) -> None:
    chances = [0.31, 0.01, 0.29, 0.3, 0.09]
    same = {"graph": {"scale": 0.0}, "class_bias": np.log(chances).tolist()}
    plain = Predictor(make_artifact("plain", **same), threads=1).predict([make_photo(1)])[0]
    assert plain.predicted_label == "1"
    assert plain.confidence == pytest.approx(0.31)
    near = Predictor(make_artifact("near", near_credit=0.2, **same), threads=1).predict([make_photo(1)])[0]
    assert (near.predicted_label, near.predicted_index) == ("4", 3)
    assert near.confidence == pytest.approx(0.3)
    assert near.probabilities == plain.probabilities


def test_a_person_is_asked_below_the_threshold_of_the_artifact(make_artifact: Make, make_photo: MakePhoto) -> None:
    photo = make_photo(2, shift=10)
    answer = Predictor(make_artifact("none"), threads=1).predict([photo])[0]
    assert answer.ask_a_person  # an artifact that names no threshold has shown nothing
    for name, threshold, asks in (
        ("at", answer.confidence, False),
        ("above", answer.confidence + 1e-6, True),
        ("sure", 0.0, False),
    ):
        predictor = Predictor(make_artifact(name, ask_below=threshold), threads=1)
        assert predictor.predict([photo])[0].ask_a_person is asks


def test_a_class_s_bias_is_added_to_its_calibrated_logit(make_artifact: Make, make_photo: MakePhoto) -> None:
    photo, bias = make_photo(2, shift=10), [0.0, -1.0, 1.0, 0.0, 0.0]
    plain = Predictor(make_artifact("plain", temperature=2.0), threads=1).predict([photo])[0]
    biased = Predictor(make_artifact("biased", temperature=2.0, class_bias=bias), threads=1).predict([photo])[0]
    expected = np.array(plain.probabilities) * np.exp(bias)
    assert biased.probabilities == pytest.approx(expected / expected.sum())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 255), min_size=1, max_size=5))
def test_probabilities_add_up_to_one_whatever_the_pixels(predictor: Predictor, levels: list[int]) -> None:
    batch = np.zeros((len(levels), 16, 16, 3), np.uint8) + np.array(levels, np.uint8)[:, None, None, None]
    rows = predictor.probabilities(batch)
    assert rows.shape == (len(levels), 5)
    assert rows.sum(axis=1) == pytest.approx(1)


@pytest.fixture
def predictor(make_artifact: Make) -> Predictor:
    return Predictor(make_artifact(), threads=1)


def test_the_mirror_average_is_the_mean_of_both_views(make_artifact: Make) -> None:
    once, both = make_artifact("once"), make_artifact("both", flip_average=True)
    leftmost(once)
    leftmost(both)
    batch = np.zeros((1, 16, 16, 3), np.uint8)
    batch[:, :, 0] = 200
    assert Predictor(once, threads=1).logits(batch).tolist() == [[200] * 5]
    assert Predictor(both, threads=1).logits(batch).tolist() == [[100] * 5]


def leftmost(folder: Path) -> None:
    """Replace the graph by one that answers with the leftmost red pixel in each class: it tells left from right."""
    shape = numpy_helper.from_array(np.array([-1, 1], np.int64), "shape")
    bounds = [
        numpy_helper.from_array(np.array(value, np.int64), name)
        for name, value in (("start", [0, 0, 0]), ("end", [1, 1, 1]), ("axes", [1, 2, 3]), ("repeats", [1, 5]))
    ]
    nodes = [
        helper.make_node("Cast", ["photos"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Slice", ["pixels", "start", "end", "axes"], ["corner"]),
        helper.make_node("Reshape", ["corner", "shape"], ["column"]),
        helper.make_node("Tile", ["column", "repeats"], ["logits"]),
    ]
    save_graph(folder, nodes, [shape, *bounds])


def save_graph(folder: Path, nodes: list[object], constants: list[object], classes: int = 5) -> None:
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("photos", TensorProto.UINT8, ["n", "h", "w", 3])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", classes])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    save(model, folder / "model.onnx")


def test_a_photo_that_cannot_be_used_is_refused(make_artifact: Make) -> None:
    with pytest.raises(PhotoError):
        Predictor(make_artifact(), threads=1).predict([b"no photo"])


def test_a_graph_that_is_none_is_refused_in_one_line(make_artifact: Make) -> None:
    with pytest.raises(ArtifactError, match=r"model\.onnx cannot be loaded") as caught:
        Predictor(make_artifact(files={"model.onnx": b"\x08\x09" + b"junk" * 50}))
    assert str(caught.value).isprintable()


def test_a_graph_with_other_classes_than_promised_is_refused(make_artifact: Make) -> None:
    with pytest.raises(ArtifactError, match="promises"):
        Predictor(make_artifact(class_labels=["1", "2", "3"]), threads=1)


def test_a_graph_for_one_photo_a_time_is_refused_at_once(make_artifact: Make) -> None:
    with pytest.raises(ArtifactError, match="does not run"):
        Predictor(make_artifact(graph={"batch": 1}), threads=1)


def test_answers_that_are_not_finite_are_refused(make_artifact: Make) -> None:
    with pytest.raises(ArtifactError, match="finite"):
        Predictor(make_artifact(graph={"scale": float("inf")}), threads=1)


@pytest.mark.parametrize("engine", get_args(Engine))
def test_a_graph_cannot_read_files_outside_its_folder(make_artifact: Make, engine: str) -> None:
    folder = make_artifact(engine=engine)
    (folder.parent / "secret").write_bytes(bytes(20))
    model = load(folder / "model.onnx")
    bias = next(tensor for tensor in model.graph.initializer if tensor.name == "bias")
    bias.ClearField("raw_data")
    bias.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "../secret"), ("offset", "0"), ("length", "20")):
        bias.external_data.add(key=key, value=value)
    (folder / "model.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ArtifactError, match="cannot be loaded"):
        Predictor(folder, threads=1)


def test_nobody_is_told_that_the_model_runs(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    subprocess.run(
        [sys.executable, "-c", "import steps.common.predictor"],
        env={**environment, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        cwd=Path(__file__).parents[3],
        check=True,
    )
    assert list(tmp_path.iterdir()) == []
