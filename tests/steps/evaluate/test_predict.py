from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from steps.evaluate.predict import BATCH, main

Make = Callable[..., Path]
MakePhoto = Callable[..., bytes]


def test_one_object_a_line_in_the_order_of_the_arguments(
    tmp_path: Path, make_artifact: Make, make_photo: MakePhoto, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = [index % 5 + 1 for index in range(BATCH + 2)]
    files = [tmp_path / f"{index}.jpg" for index in range(len(labels))]
    for file, label in zip(files, labels, strict=True):
        file.write_bytes(make_photo(label))
    assert main(["--model", str(make_artifact()), *map(str, files)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["file"] for line in lines] == [str(file) for file in files]
    assert [line["predicted_label"] for line in lines] == [str(label) for label in labels]
    assert lines[0].keys() == {
        "file", "predicted_label", "predicted_index", "confidence", "ask_a_person", "probabilities", "class_labels",
    }  # fmt: skip


def test_a_bad_photo_says_so_and_the_others_are_answered(
    tmp_path: Path, make_artifact: Make, make_photo: MakePhoto, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad, missing = tmp_path / "good.jpg", tmp_path / "bad.jpg", tmp_path / "missing.jpg"
    good.write_bytes(make_photo(4))
    bad.write_bytes(b"no photo")
    archive = make_artifact(archive=tmp_path / "model.tar.gz")
    assert main(["--model", str(archive), str(bad), str(missing), str(good)]) == 1
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [set(line) for line in lines[:2]] == [{"file", "error"}, {"file", "error"}]
    assert lines[2]["predicted_label"] == "4"


def test_a_bad_artifact_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--model", str(tmp_path / "none.tar.gz"), "photo.jpg"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: the model's artifact cannot be used: ")
    assert captured.err.count("\n") == 1
