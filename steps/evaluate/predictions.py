"""`predictions.csv`: a row for each photo of the test set."""

from __future__ import annotations

import csv
import io
from itertools import chain
from pathlib import Path

from steps.common.files import atomic_file
from steps.evaluate.inference import Answers


def write_predictions(path: Path, answers: Answers) -> None:
    """Write id, true and predicted label, confidence, each class's probability, and the champion's answer if any."""
    models = range(len(answers.probabilities))
    said = [(answers.predicted(model), answers.confidence(model)) for model in models]
    header = ["id", "true", "predicted", "confidence", *(f"probability_{label}" for label in answers.labels)]
    champion = ["champion_predicted", "champion_confidence"] if len(models) > 1 else []
    with atomic_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*header, *champion])
        for row, (name, true) in enumerate(zip(answers.ids, answers.true, strict=True)):
            first, *other = ((answers.labels[index[row]], f"{sure[row]:.6f}") for index, sure in said)
            probabilities = [f"{value:.6f}" for value in answers.probabilities[0][row]]
            writer.writerow([name, answers.labels[true], *first, *probabilities, *chain(*other)])
        text.detach()  # flushes, and leaves the file open for atomic_file to sync
