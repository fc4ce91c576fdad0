from __future__ import annotations

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from steps.common.artifact import ModelSpec, Normalization
from steps.evaluate.evaluation import evaluate, model_facts
from steps.evaluate.inference import Answers, Failure

LABELS = ("1", "2", "3", "4", "5")


def answers(*accuracies: float, photos: int = 300, failures: int = 0) -> Answers:
    """Answers of one model for each accuracy: right so often, else one too many or too few; two photos a group."""
    random = np.random.default_rng(0)
    true = random.integers(0, 5, photos)
    return Answers(
        labels=LABELS,
        ids=[f"photo-{index}" for index in range(photos)],
        positions=list(range(photos)),
        true=true,
        groups=np.arange(photos) // 2,
        probabilities=tuple(rows(true, accuracy, random) for accuracy in accuracies),
        failures=[Failure("\N{BUG}" * 5000, "\N{BUG}" * 5000)] * failures,
    )


def rows(true: npt.NDArray[np.int64], accuracy: float, random: np.random.Generator) -> npt.NDArray[np.float64]:
    predicted = np.where(random.random(len(true)) < accuracy, true, np.where(true < 4, true + 1, 3))
    probabilities = np.full((len(true), 5), 0.05)
    probabilities[np.arange(len(true)), predicted] = 0.8
    return probabilities


def scored(case: Answers, samples: int, seed: int, ask_below: float = 0.7) -> dict[str, Any]:
    return evaluate(case, [ask_below] * len(case.probabilities), samples, seed)


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict | list):
        return [number for part in (value.values() if isinstance(value, dict) else value) for number in numbers(part)]
    return [value] if isinstance(value, int | float) else []


def test_the_layout_is_that_of_model_monitor() -> None:
    result = scored(answers(0.8), 50, 0)
    metrics = result["multiclass_classification_metrics"]
    names = ["accuracy", "weighted_recall", "weighted_precision", "weighted_f0_5", "weighted_f1", "weighted_f2"]
    for name in [*names, *(f"{name}_best_constant_classifier" for name in names)]:
        assert {"value", "standard_deviation"} <= set(metrics[name])
    assert metrics["confusion_matrix"].keys() == set(LABELS)
    assert sum(sum(row.values()) for row in metrics["confusion_matrix"].values()) == 300
    assert result["dataset"]["item_count"] == 300


def test_rows_of_the_confusion_matrix_are_the_true_labels() -> None:
    case = answers(0.0)
    matrix = scored(case, 10, 0)["multiclass_classification_metrics"]["confusion_matrix"]
    assert matrix["1"]["2"] == (case.true == 0).sum()
    assert matrix["2"]["1"] == 0


def test_every_estimate_lies_in_its_interval() -> None:
    metrics = scored(answers(0.7), 200, 0)["multiclass_classification_metrics"]
    for name, figure in metrics.items():
        if name != "confusion_matrix":
            bounds = figure["confidence_interval"]
            assert bounds["lower"] <= figure["value"] <= bounds["upper"]


def test_without_a_champion_the_improvement_is_the_most_there_can_be() -> None:
    assert scored(answers(0.8), 10, 0)["champion"] == {"present": False, "improvement": {"value": 1.0}}


def test_the_improvement_is_the_difference_on_the_same_photos() -> None:
    result = scored(answers(0.9, 0.6), 200, 0)
    champion = result["champion"]
    own = result["multiclass_classification_metrics"]["macro_f1"]["value"]
    assert champion["present"] is True
    assert champion["improvement"]["value"] == pytest.approx(own - champion["macro_f1"]["value"])
    assert champion["improvement"]["confidence_interval"]["lower"] > 0.2


def test_a_champion_with_the_same_answers_differs_by_nothing() -> None:
    case = answers(0.7)
    case.probabilities = (case.probabilities[0], case.probabilities[0])
    improvement = scored(case, 100, 0)["champion"]["improvement"]
    assert improvement["value"] == improvement["standard_deviation"] == 0
    assert improvement["confidence_interval"] == {"level": 0.95, "lower": 0, "upper": 0}


def test_the_paired_difference_is_surer_than_the_scores_themselves() -> None:
    case = answers(0.7)
    other = case.probabilities[0].copy()
    other[:10] = case.probabilities[0][10:20]
    case.probabilities = (case.probabilities[0], other)
    result = scored(case, 300, 0)
    alone = result["multiclass_classification_metrics"]["macro_f1"]["standard_deviation"]
    assert result["champion"]["improvement"]["standard_deviation"] < alone


@pytest.mark.parametrize("photos", [1, 2, 7])
def test_few_photos_give_finite_numbers(photos: int) -> None:
    result = scored(answers(0.5, 1.0, photos=photos), 20, 0)
    assert np.isfinite(numbers(result)).all()
    json.dumps(result, allow_nan=False)


def test_the_file_stays_small_whatever_the_inputs_say() -> None:
    hostile = ModelSpec(
        backbone="b" * 10**6,
        image_size=224,
        class_labels=LABELS,
        normalization=Normalization(mean=(0, 0, 0), std=(1, 1, 1)),
        provenance={f"{index}\N{BUG}" * 1000: "\N{BUG}" * 10_000 for index in range(500)} | {"!": "x" * 10_000},
    )
    result = scored(answers(0.8, 0.7, failures=5000), 10, 0)
    result["model"] = result["champion"]["model"] = model_facts(hostile, "0" * 64)
    assert result["model"]["provenance"]["!"] == "x" * 1000
    assert result["dataset"]["left_out"]["count"] == 5000
    assert len(json.dumps(result, indent=2)) < 100_000  # in ASCII, the longest way to write it


def test_the_majority_class_is_scored_for_comparison() -> None:
    case = answers(0.8)
    case.true[:200] = 2
    majority = scored(case, 10, 0)["majority_class"]
    assert majority["label"] == "3"
    assert majority["accuracy"] == pytest.approx((case.true == 2).mean())


def test_a_person_is_asked_by_each_model_s_own_threshold() -> None:
    case = answers(0.8, 0.8)
    result = evaluate(case, [0.9, 0.5], 50, 0)
    metrics, champion = result["multiclass_classification_metrics"], result["champion"]
    assert (metrics["coverage"]["value"], champion["coverage"]["value"]) == (0, 1)
    assert champion["selective_accuracy"]["value"] == champion["accuracy"]["value"]
    assert result["selection"]["ask_below"] == 0.9
    assert result["selection"]["curve"][-1]["accuracy"] == pytest.approx(metrics["accuracy"]["value"])
