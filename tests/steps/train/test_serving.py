from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from steps.common.artifact import Engine, read_spec
from steps.common.decision import NEAR_CREDIT
from steps.common.job import JobError
from steps.train import serving
from steps.train.data import Photos, open_channel
from steps.train.serving import Served, choose, in_words, settle
from steps.train.validation import Logits, Scores, score

Make = Callable[..., Path]
SIZE = 16


def served(engine: Engine, macro_f1: float, speed: float | None) -> Served:
    scores = Scores(
        loss=1.0,
        accuracy=0.5,
        macro_f1=macro_f1,
        mae=1.0,
        coverage=0.5,
        temperature=1.0,
        class_bias=(0.0,) * 5,
        ask_below=0.5,
    )
    return Served(engine, scores, speed)


@pytest.mark.parametrize(
    ("macro_f1", "speed", "expected"),
    [
        (0.450, 200.0, "openvino"),
        (0.446, 200.0, "openvino"),
        (0.444, 200.0, "onnxruntime"),  # loses 0.006
        (0.450, 110.0, "onnxruntime"),  # gains too little
        (0.450, 115.0, "openvino"),
        (0.500, 50.0, "onnxruntime"),
    ],
)
def test_the_fastest_that_keeps_the_score_serves(macro_f1: float, speed: float, expected: str) -> None:
    assert choose([served("onnxruntime", 0.45, 100.0), served("openvino", macro_f1, speed)]).engine == expected


def test_what_is_alone_serves() -> None:
    assert choose([served("openvino", 0.45, None)]).engine == "openvino"


def test_the_log_says_speed_score_and_refusal() -> None:
    reference = served("onnxruntime", 0.45, 100.0)
    assert in_words(reference, reference) == "engine onnxruntime: 100 photos/s on one core, macro-F1 0.4500, +0.0000"
    line = in_words(served("openvino", 0.4411, 251.0), reference)
    assert line == "engine openvino: 251 photos/s on one core, macro-F1 0.4411, -0.0089 (refused: it loses too much)"


@pytest.fixture
def photos(channels: Path) -> Photos:
    return open_channel(channels / "validation", SIZE, 0)


def test_all_engines_are_measured_and_the_choice_is_written(make_artifact: Make, photos: Photos) -> None:
    folder = make_artifact()
    scores = settle(folder, read_spec(folder), "auto", photos, 0.7)
    spec = read_spec(folder)
    assert [each.engine for each in spec.measured] == ["onnxruntime", "openvino"]
    assert all(each.photos_per_second > 0 for each in spec.measured)
    assert spec.temperature == scores.temperature != 1.0
    assert spec.class_bias == scores.class_bias != (0.0,) * 5
    assert spec.ask_below == scores.ask_below
    assert spec.near_credit == NEAR_CREDIT  # as the scores were computed
    assert spec.engine in {"onnxruntime", "openvino"}


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_an_engine_that_is_asked_for_serves_unmeasured(make_artifact: Make, photos: Photos, engine: str) -> None:
    folder = make_artifact()
    settle(folder, read_spec(folder), engine, photos, 0.7)
    spec = read_spec(folder)
    assert (spec.engine, spec.measured) == (engine, ())


def test_the_same_photos_give_the_same_file(make_artifact: Make, photos: Photos) -> None:
    written = []
    for name in ("one", "two"):
        folder = make_artifact(name)
        settle(folder, read_spec(folder), "openvino", photos, 0.7)
        written.append((folder / "model.json").read_bytes())
    assert written[0] == written[1]


def test_without_openvino_the_reference_serves(
    make_artifact: Make, photos: Photos, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    folder = make_artifact()
    settle(folder, read_spec(folder), "auto", photos, 0.7)
    assert (read_spec(folder).engine, read_spec(folder).measured) == ("onnxruntime", ())
    assert "engine openvino: the model is served by openvino, which is not installed" in capsys.readouterr().out
    with pytest.raises(JobError, match=r"engine=openvino: .* is not installed"):
        settle(folder, read_spec(folder), "openvino", photos, 0.7)


def test_big_sets_are_sampled_evenly(make_artifact: Make, photos: Photos, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "MAX_PHOTOS", 4)
    folder = make_artifact()
    asked: list[int] = []

    def watched(logits: Logits, targets: npt.NDArray[np.int64], accuracy: float) -> Scores:
        asked.append(len(logits))
        return score(logits, targets, accuracy)

    monkeypatch.setattr(serving, "score", watched)
    settle(folder, read_spec(folder), "onnxruntime", photos, 0.7)
    assert asked == [4]
