from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from steps.common.job import JobError
from steps.common.predictor import Predictor
from steps.common.shards import Photo, ShardDataset, ShardWriter
from steps.evaluate import smoke
from steps.evaluate.inference import Answers, answer
from steps.evaluate.smoke import smoke_test
from steps.evaluate.sources import shard_samples

Make = Callable[..., Path]
MakePhoto = Callable[..., bytes]
Case = tuple[Predictor, Answers, ShardDataset, list[bytes]]


@pytest.fixture
def case(tmp_path: Path, make_artifact: Make, make_photo: MakePhoto) -> Case:
    """Photos between two levels but the last two, of which one is far off the scale: it is the surest.

    The second does not decode, so that positions among the photos and among the answers differ.
    """
    surest = make_photo(1, -25) + bytes(1000)
    photos = [make_photo(2, 20), make_photo(3)[:20], make_photo(3, 20), surest, make_photo(1)]
    with ShardWriter(tmp_path / "test", "test") as writer:
        for index, photo in enumerate(photos):
            writer.write(Photo(f"p{index}", 5, f"g{index}", photo))
    predictor, dataset = Predictor(make_artifact()), ShardDataset(tmp_path / "test")
    answers = answer([predictor], shard_samples(dataset), len(dataset), lambda _: None)
    return predictor, answers, dataset, photos


def test_the_photo_is_the_surest_as_it_is_stored(case: Case) -> None:
    predictor, answers, dataset, photos = case
    found = smoke_test(predictor, answers, dataset)
    assert base64.b64decode(found["photo_base64"]) == photos[3]
    assert found["predicted_label"] == "1"  # whatever its label: the endpoint is asked for the model's answer
    assert sum(found["probabilities"]) == pytest.approx(1)


def test_a_photo_too_large_for_a_request_is_passed_over(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor, answers, dataset, photos = case
    monkeypatch.setattr(smoke, "MAX_PHOTO_BYTES", 1000)
    assert base64.b64decode(smoke_test(predictor, answers, dataset)["photo_base64"]) == photos[4]
    monkeypatch.setattr(smoke, "MAX_PHOTO_BYTES", 100)
    with pytest.raises(JobError, match=r"lower split\.size"):
        smoke_test(predictor, answers, dataset)


def test_equally_sure_photos_are_taken_in_their_order(case: Case) -> None:
    predictor, answers, dataset, photos = case
    answers.probabilities[0][:] = (0.1, 0.6, 0.1, 0.1, 0.1)
    assert base64.b64decode(smoke_test(predictor, answers, dataset)["photo_base64"]) == photos[0]
