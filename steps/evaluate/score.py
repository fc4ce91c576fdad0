"""Score any artifact on any labelled folder of photos.

    python -m steps.evaluate.score --model model.tar.gz --images photos/ --labels labels.csv [--json]

The CSV has the columns id and label, and group where photos show the same bin; an id is a file name with or without its
extension. Photos that cannot be used are counted and named. Progress goes to stderr; stdout gets the main figures, or
with --json all that evaluation.json holds.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from steps.common.job import JobError
from steps.evaluate.evaluation import Json, evaluate, model_facts
from steps.evaluate.inference import answer
from steps.evaluate.models import open_model
from steps.evaluate.sources import LabelledFolder

SAMPLES = 2000
SEED = 0
SHOWN = (
    *("macro_f1", "accuracy", "within_one_accuracy", "mae", "rmse", "expected_calibration_error"),
    *("coverage", "selective_accuracy", "selective_within_one_accuracy"),
)


def score(model: Path, images: Path, labels: Path) -> Json:
    """Return what evaluation.json holds, without a champion. Raises JobError."""
    folder = LabelledFolder(images, labels)
    with open_model(model, "model") as opened:
        answers = answer([opened.predictor], folder, len(folder), lambda line: print(line, file=sys.stderr))
        spec = opened.predictor.spec
        return {**evaluate(answers, [spec.ask_below], SAMPLES, SEED), "model": model_facts(spec, opened.digest)}


def lines(evaluation: Json) -> list[str]:
    """Return the main figures as lines of text."""
    figures = [(name, evaluation["multiclass_classification_metrics"][name]) for name in SHOWN]
    left_out = evaluation["dataset"]["left_out"]
    return [
        f"photos {evaluation['dataset']['item_count']}",
        *(
            f"{name} {figure['value']:.4f} [{figure['confidence_interval']['lower']:.4f}, "
            f"{figure['confidence_interval']['upper']:.4f}]"
            for name, figure in figures
        ),
        f"left out {left_out['count']}",
        *(f"  {photo['id']}: {photo['reason']}" for photo in left_out["photos"]),
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit code is 1 where nothing could be scored."""
    parser = argparse.ArgumentParser(
        "python -m steps.evaluate.score", description="Score a model on a labelled folder."
    )
    parser.add_argument("--model", type=Path, required=True, help="model.tar.gz, or the folder of an unpacked one")
    parser.add_argument("--images", type=Path, required=True, help="folder of photos")
    parser.add_argument("--labels", type=Path, required=True, help="CSV with the columns id, label[, group]")
    parser.add_argument("--json", action="store_true", help="print everything, as JSON")
    options = parser.parse_args(arguments)
    try:
        evaluation = score(options.model, options.images, options.labels)
    except JobError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(json.dumps(evaluation, allow_nan=False) if options.json else "\n".join(lines(evaluation)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
