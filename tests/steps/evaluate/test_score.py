from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from steps.evaluate.score import main

Make = Callable[..., Path]
MakePhoto = Callable[..., bytes]


@pytest.fixture
def folder(tmp_path: Path, make_photo: MakePhoto) -> Path:
    images = tmp_path / "images"
    images.mkdir()
    for label in (1, 2, 3, 4, 5):
        (images / f"bin-{label}.jpg").write_bytes(make_photo(label))
    (images / "broken.jpg").write_bytes(b"no photo")
    rows = [f"bin-{label},{label}" for label in (1, 2, 3, 4)] + ["bin-5.jpg,4", "broken,1", "gone,1"]
    (tmp_path / "labels.csv").write_text("\n".join(["id,label", *rows]) + "\n")
    return tmp_path


def arguments(folder: Path, model: Path) -> list[str]:
    return ["--model", str(model), "--images", str(folder / "images"), "--labels", str(folder / "labels.csv")]


def test_json_is_all_that_goes_to_stdout(folder: Path, make_artifact: Make, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*arguments(folder, make_artifact()), "--json"]) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out)
    metrics = result["multiclass_classification_metrics"]
    assert metrics["accuracy"]["value"] == pytest.approx(0.8)
    assert metrics["confusion_matrix"]["4"] == {"1": 0, "2": 0, "3": 0, "4": 1, "5": 1}
    assert [photo["id"] for photo in result["dataset"]["left_out"]["photos"]] == ["broken", "gone"]
    assert result["model"]["backbone"] == "brightness"
    assert "evaluated 7 of 7 photos" in captured.err


def test_text_names_the_main_figures_and_what_was_left_out(
    folder: Path, make_artifact: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments(folder, make_artifact())) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "photos 5"
    assert any(line.startswith("accuracy 0.8000 [") for line in lines)
    assert lines[-3:-1] == ["left out 2", "  broken: not one of the formats JPEG, PNG, WEBP, GIF, BMP, TIFF, MPO"]


def test_an_artifact_of_other_classes_is_scored_on_its_own(
    folder: Path, make_artifact: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    model = make_artifact(graph={"levels": (75, 225)}, class_labels=["few", "many"])
    (folder / "labels.csv").write_text("id,label\nbin-1,few\nbin-2,few\nbin-5,many\nbin-4,3\n")
    assert main([*arguments(folder, model), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["multiclass_classification_metrics"]["macro_f1"]["value"] == 1
    assert result["dataset"]["left_out"]["count"] == 1


@pytest.mark.parametrize("missing", ["images", "labels.csv", "model.tar.gz"])
def test_what_is_missing_is_one_line(
    folder: Path, make_artifact: Make, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    model = make_artifact(archive=folder / "model.tar.gz")
    (folder / missing).rename(folder / "elsewhere")
    assert main(arguments(folder, model)) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert captured.err.count("\n") == 1
