from __future__ import annotations

import base64
import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steps.common.job import JobError
from steps.common.predictor import Predictor
from steps.common.shards import Photo, ShardWriter
from steps.evaluate.__main__ import Settings, parse, run
from steps.evaluate.report import Gate

Make = Callable[..., Path]
MakePhoto = Callable[..., bytes]
ROOT = Path(__file__).parents[3]
SETTINGS = Settings(50, Gate(0.5, 0.0))
BEATING = Settings(50, Gate(0.5, 0.0), "bincount-demo/3")
PHOTOS = 40


@pytest.fixture
def base(tmp_path: Path, make_artifact: Make, make_photo: MakePhoto) -> Path:
    """The tree of a job whose model counts all photos rightly but every tenth, of which it sees one item more."""
    base = tmp_path / "ml"
    inputs = base / "processing" / "input"
    make_artifact("new", archive=inputs / "model" / "model.tar.gz", files={"metrics.json": b'[{"epoch": 1}]'})
    with ShardWriter(inputs / "test", "test") as writer:
        for index in range(PHOTOS):
            label = index % 4 + 1
            writer.write(Photo(f"p{index}", label, f"g{index // 2}", make_photo(label + (index % 10 == 0))))
    return base


def silent(line: str) -> None:
    pass


def evaluation(base: Path) -> dict[str, Any]:
    path = base / "processing" / "output" / "evaluation" / "evaluation.json"
    return json.loads(path.read_text())  # type: ignore[no-any-return]


def test_the_job_writes_scores_report_and_answers(base: Path) -> None:
    lines: list[str] = []
    run(base / "processing", SETTINGS, lines.append)
    result = evaluation(base)
    assert result["multiclass_classification_metrics"]["accuracy"]["value"] == pytest.approx(0.9)
    assert result["dataset"]["groups"] == PHOTOS // 2
    assert result["champion"]["improvement"]["value"] == 1.0
    report = base / "processing" / "output" / "report"
    assert report.joinpath("report.html").read_text().count("data:image/jpeg") == 4
    with report.joinpath("predictions.csv").open(newline="") as file:
        assert [row["id"] for row in csv.DictReader(file)] == [f"p{index}" for index in range(PHOTOS)]
    assert lines[-1].endswith("report.html")


def test_a_champion_is_scored_on_the_same_photos(base: Path, make_artifact: Make) -> None:
    blind = {"levels": (25, 25, 175, 225, 225)}
    make_artifact("old", archive=base / "processing" / "input" / "champion" / "model.tar.gz", graph=blind, image_size=8)
    run(base / "processing", BEATING, silent)
    champion = evaluation(base)["champion"]
    assert (champion["present"], champion["version"]) == (True, "bincount-demo/3")
    assert "bincount-demo/3" in (base / "processing" / "output" / "report" / "report.html").read_text()
    assert champion["improvement"]["value"] > 0.1
    assert champion["model"]["image_size"] == 8


def test_a_broken_champion_is_one_clear_line(base: Path) -> None:
    champion = base / "processing" / "input" / "champion"
    champion.mkdir()
    (champion / "model.tar.gz").write_bytes(b"\x1f\x8bjunk")
    with pytest.raises(JobError, match=r"^the champion's artifact cannot be used: .*model\.tar\.gz.*$"):
        run(base / "processing", BEATING, silent)
    assert not (base / "processing" / "output").exists()


def test_without_a_champion_its_folder_is_not_looked_at(base: Path) -> None:
    champion = base / "processing" / "input" / "champion"
    champion.mkdir()
    (champion / "model.tar.gz").write_bytes(b"\x1f\x8bjunk")
    run(base / "processing", SETTINGS, silent)
    assert evaluation(base)["champion"] == {"present": False, "improvement": {"value": 1.0}}


def test_a_named_champion_has_to_be_there(base: Path) -> None:
    with pytest.raises(JobError, match=r"champion is empty: give the model\.tar\.gz of bincount-demo/3"):
        run(base / "processing", BEATING, silent)


def test_the_smoke_photo_is_a_test_photo_with_the_artifacts_answer(base: Path, make_artifact: Make) -> None:
    run(base / "processing", SETTINGS, silent)
    path = base / "processing" / "output" / "evaluation" / "smoke.json"
    smoke = json.loads(path.read_text())
    answer = Predictor(make_artifact("again")).predict([base64.b64decode(smoke["photo_base64"])])[0]
    assert smoke["predicted_label"] == answer.predicted_label
    assert smoke["probabilities"] == pytest.approx(answer.probabilities)
    assert (smoke["content_type"], smoke["class_labels"]) == ("image/jpeg", ["1", "2", "3", "4", "5"])
    first = path.read_bytes()
    run(base / "processing", SETTINGS, silent)
    assert path.read_bytes() == first


def test_the_baseline_counts_the_answers_that_the_report_lists(base: Path) -> None:
    run(base / "processing", SETTINGS, silent)
    output = base / "processing" / "output"
    baseline = json.loads((output / "evaluation" / "baseline.json").read_text())
    scored = evaluation(base)
    assert baseline["photos"] == scored["dataset"]["item_count"] == sum(baseline["confidences"])
    assert baseline["predicted"] == [scored["per_class"][label]["predicted"] for label in baseline["class_labels"]]


def test_other_classes_than_the_photos_are_refused(base: Path, make_artifact: Make) -> None:
    model = base / "processing" / "input" / "model" / "model.tar.gz"
    make_artifact("other", archive=model, class_labels=["a", "b", "c", "d", "e"])
    with pytest.raises(JobError, match="the model's classes are a, b, c, d, e"):
        run(base / "processing", SETTINGS, silent)


def test_damaged_shards_are_not_scored(base: Path, make_photo: MakePhoto) -> None:
    with ShardWriter(base / "processing" / "input" / "test", "more") as writer:
        for index in range(3):
            writer.write(Photo(f"broken{index}", 1, f"x{index}", make_photo(1)[:20]))
    with pytest.raises(JobError, match="3 of 43 test photos could not be evaluated, the first is 'broken0'"):
        run(base / "processing", SETTINGS, silent)


@pytest.mark.parametrize(("channel", "words"), [("model", "give the model.tar.gz"), ("test", "no .arrow shards")])
def test_a_missing_input_is_one_line(base: Path, channel: str, words: str) -> None:
    (base / "processing" / "input" / channel).rename(base / "elsewhere")
    with pytest.raises(JobError, match=words):
        run(base / "processing", SETTINGS, silent)


def test_arguments_have_defaults_and_limits() -> None:
    assert parse([]) == Settings(2000, Gate())
    assert parse(["--minimum-macro-f1", "0.6", "--bootstrap-samples", "10"]) == Settings(10, Gate(0.6))
    assert parse(["--champion", "none"]) == parse([])
    assert parse(["--champion", "bincount-demo/12"]).champion == "bincount-demo/12"
    with pytest.raises(JobError, match="at least 2"):
        parse(["--bootstrap-samples", "1"])
    for text in ("bincount-demo", "a/b", "../3", "a/3\n", "<b>/3"):
        with pytest.raises(JobError, match="none or <model package group>/<version>"):
            parse(["--champion", text])


def test_as_a_job_it_fails_as_the_service_expects(tmp_path: Path) -> None:
    environment = {**os.environ, "SAGEMAKER_BASE_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-m", "steps.evaluate"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert (tmp_path / "output" / "failure").read_text() in done.stderr
