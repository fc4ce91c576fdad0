"""`evaluation.json`: SageMaker's model-quality layout, and what a gate and a reader want to know beyond it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from steps.common.artifact import ModelSpec
from steps.common.metrics import Floats, Matrix, macro_f1, mean_absolute_error, per_class, within_one
from steps.evaluate.bootstrap import LEVEL, Estimate, replicate_sums
from steps.evaluate.calibration import calibration_check
from steps.evaluate.inference import Answers
from steps.evaluate.selection import coverage_curve
from steps.evaluate.tally import BINS, always_majority, calibration, confusion, figures, tally_groups

NAMED_FAILURES = 10  # the job's log names all of them
TEXT_CHARACTERS = 200
PROVENANCE_CHARACTERS = 1000
PROVENANCE_BYTES = 12_000
NO_CHAMPION_IMPROVEMENT = 1.0  # the most there can be: with nothing to beat, a gate on the improvement passes

Json = dict[str, Any]


def evaluate(answers: Answers, ask_below: Sequence[float], samples: int, seed: int) -> Json:
    """Score the first model, and the second one beside it as the champion where there is one.

    Args:
        answers: of one or two models on the same photos.
        ask_below: of each model, the confidence below which a person is asked.
        samples: bootstrap replicates.
        seed: of the bootstrap.

    Returns:
        What evaluation.json holds, every number finite; `model`, and the champion's `model` and `version`, are for the
        caller to add.
    """
    tallies = [
        tally_groups(answers.true, rows, answers.groups, threshold, answers.near_credits[model])
        for model, (rows, threshold) in enumerate(zip(answers.probabilities, ask_below, strict=True))
    ]
    replicates = np.split(replicate_sums(np.hstack(tallies), samples, seed), len(tallies), axis=1)
    points = [tally.sum(axis=0) for tally in tallies]
    scores = [_estimates(point, sums) for point, sums in zip(points, replicates, strict=True)]
    matrix = confusion(points[0])
    return {
        "version": 0.0,
        "dataset": {
            "item_count": len(answers.ids),
            "groups": len(tallies[0]),
            "evaluation_time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "left_out": _left_out(answers),
        },
        "multiclass_classification_metrics": {
            "confusion_matrix": _nested(matrix, answers.labels),
            **{name: _figure(estimate) for name, estimate in scores[0].items()},
        },
        "per_class": _per_class(matrix, answers.labels),
        "majority_class": _majority(matrix, answers.labels),
        "calibration": _bins(calibration(points[0])),
        "calibration_check": calibration_check(answers.confidence(), points[0], seed),
        "selection": {
            "ask_below": ask_below[0],
            "curve": coverage_curve(answers.true, answers.predicted(), answers.confidence()),
        },
        "champion": _champion(points, replicates, scores) if len(points) > 1 else _no_champion(),
        "bootstrap": {"samples": samples, "seed": seed, "level": LEVEL, "unit": "group"},
    }


def model_facts(spec: ModelSpec, digest: str) -> Json:
    """Describe an artifact: what it is, the digest of its file, where it came from (what fits)."""
    return {
        "sha256": digest,
        "backbone": spec.backbone[:TEXT_CHARACTERS],
        "image_size": spec.image_size,
        "temperature": spec.temperature,
        "class_bias": list(spec.class_bias),
        "ask_below": spec.ask_below,
        "near_credit": spec.near_credit,
        "flip_average": spec.flip_average,
        "provenance": _cut(spec.provenance),
    }


def _cut(provenance: Mapping[str, str]) -> dict[str, str]:
    """Keep the entries that fit, long ones shortened: anybody may have written them, and the file must stay small."""
    kept: dict[str, str] = {}
    room = PROVENANCE_BYTES
    for name, text in sorted(provenance.items()):
        entry = (name[:TEXT_CHARACTERS], text[:PROVENANCE_CHARACTERS])
        room -= len(json.dumps(entry))
        if room >= 0:
            kept[entry[0]] = entry[1]
    return kept


def _estimates(point: Floats, replicates: Floats) -> dict[str, Estimate]:
    drawn = [figures(sums) for sums in replicates]
    return {name: Estimate.of(value, np.array([one[name] for one in drawn])) for name, value in figures(point).items()}


def _figure(estimate: Estimate) -> Json:
    return {
        "value": estimate.value,
        "standard_deviation": estimate.standard_deviation,
        "confidence_interval": {"level": LEVEL, "lower": estimate.lower, "upper": estimate.upper},
    }


def _champion(points: list[Floats], replicates: list[Floats], scores: list[dict[str, Estimate]]) -> Json:
    """The champion's own scores, and the difference on the same photos and the same bootstrap draws."""
    difference = [macro_f1(confusion(new)) - macro_f1(confusion(old)) for new, old in zip(*replicates, strict=True)]
    improvement = Estimate.of(scores[0]["macro_f1"].value - scores[1]["macro_f1"].value, np.array(difference))
    shown = (
        *("macro_f1", "accuracy", "within_one_accuracy", "mae", "rmse", "expected_calibration_error"),
        *("coverage", "selective_accuracy", "selective_within_one_accuracy"),
    )
    return {
        "present": True,
        "improvement": _figure(improvement),
        **{name: _figure(scores[1][name]) for name in shown},
        "per_class_f1": per_class(confusion(points[1]))["f1"].tolist(),
    }


def _no_champion() -> Json:
    return {"present": False, "improvement": {"value": NO_CHAMPION_IMPROVEMENT}}


def _nested(matrix: Matrix, labels: tuple[str, ...]) -> Json:
    """{true label: {predicted label: photos}}, as Model Monitor writes it."""
    return {label: dict(zip(labels, row, strict=True)) for label, row in zip(labels, matrix.tolist(), strict=True)}


def _per_class(matrix: Matrix, labels: tuple[str, ...]) -> Json:
    scores = per_class(matrix)
    return {
        label: {
            **{name: float(values[index]) for name, values in scores.items()},
            "photos": int(matrix[index].sum()),
            "predicted": int(matrix[:, index].sum()),
        }
        for index, label in enumerate(labels)
    }


def _majority(matrix: Matrix, labels: tuple[str, ...]) -> Json:
    constant = always_majority(matrix)
    return {
        "label": labels[int(matrix.sum(axis=1).argmax())],
        "accuracy": float(np.trace(constant) / constant.sum()),
        "macro_f1": macro_f1(constant),
        "mae": mean_absolute_error(constant),
        "within_one_accuracy": within_one(constant),
    }


def _bins(bins: Floats) -> list[Json]:
    photos, correct, confidence = bins
    filled = np.maximum(photos, 1)
    return [
        {
            "upper": (index + 1) / BINS,
            "photos": int(photos[index]),
            "accuracy": float(correct[index] / filled[index]),
            "confidence": float(confidence[index] / filled[index]),
        }
        for index in range(BINS)
    ]


def _left_out(answers: Answers) -> Json:
    named = answers.failures[:NAMED_FAILURES]
    return {
        "count": len(answers.failures),
        "photos": [
            {"id": failure.id[:TEXT_CHARACTERS], "reason": failure.reason[:TEXT_CHARACTERS]} for failure in named
        ],
    }
