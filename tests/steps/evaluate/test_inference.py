from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from steps.common.artifact import ArtifactError
from steps.common.images import PhotoError
from steps.common.job import JobError
from steps.common.predictor import Predictor
from steps.evaluate import inference
from steps.evaluate.inference import BATCH, Sample, answer

Make = Callable[..., Path]
MakePhoto = Callable[..., bytes]


def silent(line: str) -> None:
    pass


def test_answers_are_in_the_order_of_the_photos_whatever_the_batches(
    make_artifact: Make, make_photo: MakePhoto
) -> None:
    labels = [index % 5 + 1 for index in range(2 * BATCH + 3)]
    samples = [Sample(f"p{index}", str(label), "g", make_photo(label), index) for index, label in enumerate(labels)]
    answers = answer([Predictor(make_artifact(), threads=1)], samples, len(samples), silent)
    assert answers.ids == [sample.id for sample in samples]
    assert (answers.true == answers.predicted()).all()
    assert answers.probabilities[0].shape == (len(samples), 5)
    assert answers.groups.max() == 0


def test_photos_are_taken_a_batch_at_a_time(
    make_artifact: Make, make_photo: MakePhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = Predictor(make_artifact(), threads=1)
    photo = make_photo(1)
    taken: list[int] = []
    answered: list[int] = []

    def samples() -> Iterator[Sample]:
        for index in range(3 * BATCH):
            taken.append(index)
            yield Sample(str(index), "1", "g", photo)

    original = predictor.probabilities

    def counting(batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        answered.append(len(taken))
        return original(batch)

    monkeypatch.setattr(predictor, "probabilities", counting)
    answer([predictor], samples(), 3 * BATCH, silent)
    assert answered == [BATCH, 2 * BATCH, 3 * BATCH]


def test_a_photo_that_fails_is_left_out_and_named(make_artifact: Make, make_photo: MakePhoto) -> None:
    samples = [
        Sample("good", "2", "g", make_photo(2)),
        Sample("broken", "2", "g", b"no photo"),
        Sample("missing", "2", "g", PhotoError("no file has this name")),
        Sample("odd", "7", "g", make_photo(2)),
    ]
    lines: list[str] = []
    answers = answer([Predictor(make_artifact(), threads=1)], samples, 4, lines.append)
    assert answers.ids == ["good"]
    assert lines[1] == "left out 'missing': no file has this name"
    assert [failure.id for failure in answers.failures] == ["broken", "missing", "odd"]
    assert answers.failures[1].reason == "no file has this name"
    assert "'7' is no class" in answers.failures[2].reason


def test_no_usable_photo_is_an_error_that_names_the_first(make_artifact: Make) -> None:
    with pytest.raises(JobError, match="none of the 1 photos could be evaluated; the first, 'a'"):
        answer([Predictor(make_artifact(), threads=1)], [Sample("a", "1", "g", b"x")], 1, silent)


def test_each_model_sees_the_photo_at_its_own_size_and_in_the_first_ones_classes(
    make_artifact: Make, make_photo: MakePhoto
) -> None:
    reversed_levels = {"graph": {"levels": (225, 175, 125, 75, 25)}, "class_labels": ["5", "4", "3", "2", "1"]}
    models = [
        Predictor(make_artifact("new"), threads=1),
        Predictor(make_artifact("old", image_size=8, **reversed_levels), threads=1),
    ]
    answers = answer(models, [Sample("a", "4", "g", make_photo(4))], 1, silent)
    assert answers.labels == ("1", "2", "3", "4", "5")
    assert answers.predicted(0).tolist() == answers.predicted(1).tolist() == [3]


def test_a_champion_of_other_classes_is_refused(make_artifact: Make, make_photo: MakePhoto) -> None:
    models = [
        Predictor(make_artifact("new"), threads=1),
        Predictor(make_artifact("old", class_labels=["a", "b", "c", "d", "e"]), threads=1),
    ]
    with pytest.raises(JobError, match="the champion's classes a, b, c, d, e"):
        answer(models, [Sample("a", "4", "g", make_photo(4))], 1, silent)


def test_a_graph_that_fails_on_photos_is_an_error_that_says_whose(
    make_artifact: Make, make_photo: MakePhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = [Predictor(make_artifact(name), threads=1) for name in ("new", "old")]

    def fail(batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        raise ArtifactError("numbers that are not finite")

    for model, role in zip(models, ("model", "champion"), strict=True):
        with monkeypatch.context() as patch:
            patch.setattr(model, "probabilities", fail)
            with pytest.raises(JobError, match=f"^the {role}'s artifact cannot be used: numbers"):
                answer(models, [Sample("a", "1", "g", make_photo(1))], 1, silent)


def test_progress_is_told(make_artifact: Make, make_photo: MakePhoto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "PROGRESS_SECONDS", 0.0)
    lines: list[str] = []
    samples = [Sample("a", "1", "g", make_photo(1))] * (BATCH + 1)
    answer([Predictor(make_artifact(), threads=1)], samples, len(samples), lines.append)
    assert lines[0].startswith(f"evaluated {BATCH} of {BATCH + 1} photos (")
    assert lines[-1].startswith(f"evaluated {BATCH + 1} of {BATCH + 1} photos in ")
