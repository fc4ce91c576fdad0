"""`predictions.csv`: a row for each photo of the test set."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from steps.common.files import atomic_file
from steps.evaluate.inference import Answers


def write_predictions(path: Path, answers: Answers) -> None:
    """Write id, true and predicted label, confidence, each class's probability, and the champion's answer if any."""
    predicted = [answers.predicted(model) for model in range(len(answers.probabilities))]
    header = ["id", "true", "predicted", "confidence", *(f"probability_{label}" for label in answers.labels)]
    champion = ["champion_predicted", "champion_confidence"] if len(predicted) > 1 else []
    with atomic_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*header, *champion])
        for row, (name, true) in enumerate(zip(answers.ids, answers.true, strict=True)):
            answer = [answers.labels[predicted[0][row]], *_rounded(answers, 0, row)]
            other = [answers.labels[predicted[1][row]], _rounded(answers, 1, row)[0]] if champion else []
            writer.writerow([name, answers.labels[true], *answer, *other])
        text.detach()  # flushes, and leaves the file open for atomic_file to sync


def _rounded(answers: Answers, model: int, row: int) -> list[str]:
    probabilities = answers.probabilities[model][row]
    return [f"{value:.6f}" for value in (probabilities.max(), *probabilities)]
