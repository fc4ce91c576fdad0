from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from steps.evaluate.inference import Answers
from steps.evaluate.predictions import write_predictions


def test_a_row_for_each_photo_with_the_champions_answer(tmp_path: Path) -> None:
    hostile = 'a,"b"\n=1+1'
    answers = Answers(
        labels=("1", "2"),
        ids=[hostile, "plain"],
        positions=[0, 1],
        true=np.array([0, 1]),
        groups=np.array([0, 1]),
        probabilities=(np.array([[0.25, 0.75], [0.1, 0.9]]), np.array([[1.0, 0.0], [0.5, 0.5]])),
    )
    write_predictions(tmp_path / "report" / "predictions.csv", answers)
    with (tmp_path / "report" / "predictions.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "id": hostile,
        "true": "1",
        "predicted": "2",
        "confidence": "0.750000",
        "probability_1": "0.250000",
        "probability_2": "0.750000",
        "champion_predicted": "1",
        "champion_confidence": "1.000000",
    }
    assert float(rows[1]["probability_1"]) == pytest.approx(0.1)


def test_without_a_champion_there_are_no_columns_for_one(tmp_path: Path) -> None:
    answers = Answers(("1", "2"), ["a"], [0], np.array([0]), np.array([0]), (np.array([[0.9, 0.1]]),))
    write_predictions(tmp_path / "predictions.csv", answers)
    header = (tmp_path / "predictions.csv").read_text().splitlines()[0]
    assert header == "id,true,predicted,confidence,probability_1,probability_2"
