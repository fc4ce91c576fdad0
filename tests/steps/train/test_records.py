from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from steps.common.shards import Items, Photo, ShardDataset, ShardWriter
from steps.train.data import Joined
from steps.train.records import MEASURES, MIN_PHOTOS, WORDS_SCALE, Records, read_records


def shards(folder: Path, rows: list[Items]) -> Joined:
    with ShardWriter(folder, "train") as writer:
        for number, items in enumerate(rows):
            writer.write(Photo(str(number), 1, "g", b"jpeg", items))
    return Joined(ShardDataset(folder))


def bins(photos: int) -> list[Items]:
    return [
        Items(number % 3 + 1, 2.0, float(number), 1.0, 5.0, ("case", *(["phone"] if number % 2 else []), f"w{number}"))
        for number in range(photos)
    ]


def test_frequent_words_become_columns_and_measures_have_a_common_scale(tmp_path: Path) -> None:
    records = read_records(shards(tmp_path, [*bins(2 * MIN_PHOTOS), Items()]))
    assert records.words.shape == (2 * MIN_PHOTOS + 1, 2)  # case, phone; each w<number> is of one photo
    assert records.words.sum(0).tolist() == [2 * MIN_PHOTOS, MIN_PHOTOS]
    assert records.known.tolist() == [True] * (2 * MIN_PHOTOS) + [False]
    assert records.measures[records.known].mean(0) == pytest.approx(np.zeros(MEASURES), abs=1e-5)
    assert records.measures[records.known][:, 0].std() == pytest.approx(1, abs=1e-3)
    assert records.outputs == 2 + MEASURES


def test_photos_without_records_need_no_outputs_and_teach_nothing(tmp_path: Path) -> None:
    records = read_records(shards(tmp_path, [Items(), Items()]))
    assert records.outputs == 0
    assert float(records.loss_sum(torch.randn(2, MEASURES), np.array([0, 1]))) == 0


def test_the_loss_is_that_of_known_photos_alone_and_falls_towards_the_truth() -> None:
    records = Records(
        np.array([[1, 0], [0, 1]], np.uint8), np.zeros((2, MEASURES), np.float32), np.array([True, False])
    )
    at_zero = float(records.loss_sum(torch.zeros(2, 2 + MEASURES), np.array([0, 1])))
    assert at_zero == pytest.approx(WORDS_SCALE * np.log(2))
    right = torch.tensor([[9.0, -9.0, *[0.0] * MEASURES], [-5.0, 5.0, *[3.0] * MEASURES]])
    assert float(records.loss_sum(right, np.array([0, 1]))) < 0.01
    wrong = right * -1
    assert float(records.loss_sum(wrong, np.array([0, 1]))) > at_zero


def test_words_of_rare_items_only_leave_the_measures(tmp_path: Path) -> None:
    records = read_records(shards(tmp_path, bins(3)))
    assert records.words.shape[1] == 0
    assert records.outputs == MEASURES
    assert torch.isfinite(records.loss_sum(torch.zeros(3, MEASURES), np.arange(3)))
