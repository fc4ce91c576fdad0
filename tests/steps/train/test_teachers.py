from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch

from steps.common.artifact import open_artifact
from steps.common.job import JobError
from steps.common.predictor import Predictor
from steps.common.shards import Photo, ShardWriter
from steps.train import teachers
from steps.train.data import open_training
from steps.train.ddp import Cluster
from tests.artifacts import photo

ALONE = Cluster(0, 1, torch.device("cpu"))
LABELS = (1, 2, 3, 4, 5, 3)
AUXILIARY = (0, 7)


@pytest.fixture
def channels(tmp_path: Path) -> Path:
    """Return the channels of six photos to count and two of other counts, each of its count's gray."""
    for channel, labels in (("train", LABELS), ("auxiliary", AUXILIARY)):
        with ShardWriter(tmp_path / channel, "shard") as writer:
            for number, label in enumerate(labels):
                writer.write(Photo(f"{channel}{number}", label, f"g{number}", photo(min(max(label, 1), 5))))
    return tmp_path


@pytest.fixture
def teach(channels: Path, make_artifact: Callable[..., Path]) -> Callable[..., Path]:
    """Return a function that puts a teacher, with changes to its model.json or graph, into a channel of its own."""

    def make(number: int, **changes: object) -> Path:
        return make_artifact(f"model{number}", archive=channels / f"teacher_{number}" / "model.tar.gz", **changes)

    return make


def ask(channels: Path, cluster: Cluster = ALONE, strength: float = 1.0) -> npt.NDArray[np.float32]:
    photos = open_training(channels, 64, 0, strength)
    with ThreadPoolExecutor(1) as pool:
        return np.asarray(teachers.ask(teachers.artifacts(channels), photos, cluster, pool))


def test_a_teacher_answers_every_photo_of_a_served_count_as_it_would_be_served(
    channels: Path, teach: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    archive = teach(1, temperature=0.5, class_bias=[0.1, 0, 0, 0, -0.2])
    answers = ask(channels)
    with open_artifact(archive) as folder:
        expected = [one.probabilities for one in Predictor(folder).predict([photo(label) for label in LABELS])]
    assert answers.shape == (8, 10)  # counts from 0 to 9
    assert answers[:6, 1:6] == pytest.approx(np.array(expected), abs=1e-6)
    assert answers[:6].argmax(axis=1).tolist() == list(LABELS)
    assert not answers[6:].any()
    assert not answers[:, [0, 6, 7, 8, 9]].any()
    assert "teachers: 1 model(s) answered 6 photos" in capsys.readouterr().out


def test_several_teachers_count_alike(channels: Path, teach: Callable[..., Path]) -> None:
    teach(1)
    one = ask(channels)
    teach(2, temperature=3.0)
    both = ask(channels)
    (channels / "teacher_1" / "model.tar.gz").unlink()
    (channels / "teacher_1").rmdir()
    assert both == pytest.approx((one + ask(channels)) / 2)
    assert both != pytest.approx(one)


def test_ranks_share_the_photos_and_have_all_answers(
    channels: Path, teach: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    teach(1)
    alone = ask(channels)
    parts: list[torch.Tensor] = []

    def keep(_: Cluster, values: torch.Tensor) -> torch.Tensor:
        parts.append(values.clone())
        return values

    monkeypatch.setattr(Cluster, "sum", keep)
    for rank in range(2):
        ask(channels, replace(ALONE, rank=rank, world=2))
    assert [int((part.sum(dim=1) > 0).sum()) for part in parts] == [3, 3]
    assert (parts[0] + parts[1]).numpy() == pytest.approx(alone)


def test_photos_are_seen_whole_and_unaltered(channels: Path, teach: Callable[..., Path]) -> None:
    teach(1)
    assert ask(channels, strength=1.0) == pytest.approx(ask(channels, strength=0.0))


def test_what_is_no_teacher_is_refused_in_one_line(channels: Path, teach: Callable[..., Path]) -> None:
    (channels / "teacher_1").mkdir()
    with pytest.raises(JobError, match=r"teacher_1 needs one model\.tar\.gz, found 0 files"):
        teachers.artifacts(channels)
    (channels / "teacher_1" / "model.tar.gz").write_bytes(b"none")
    with pytest.raises(JobError, match="the teacher teacher_1: "):
        ask(channels)
    (channels / "teacher_1" / "model.tar.gz").unlink()
    teach(1, class_labels=["5", "4", "3", "2", "1"])
    with pytest.raises(JobError, match="the teacher teacher_1: it counts 5, 4, 3, 2, 1"):
        ask(channels)


def test_without_a_channel_there_is_no_teacher(channels: Path) -> None:
    assert teachers.artifacts(channels) == []


def test_digests_tell_teachers_apart(channels: Path, teach: Callable[..., Path]) -> None:
    teach(1)
    teach(2, temperature=2.0)
    first, second = teachers.digests(teachers.artifacts(channels))
    assert first != second
