"""What the function answers, and what it tells CloudWatch. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from drift.answers import Tally
from drift.baseline import Baseline
from drift.comparison import Shift, compare, parts
from drift.event import Question

NAMESPACE = "Bincount"
MIN_ANSWERS = 100
"""Fewer tell nothing, and raise no alarm."""
NO_ENDPOINT, NO_CAPTURE, NO_BASELINE = "NoEndpoint", "NoCapture", "NoBaseline"
TOO_FEW, STABLE, DRIFTED = "TooFew", "Stable", "Drifted"


@dataclass(frozen=True)
class Comparison:
    """How the answers of a window lie to those of the evaluation."""

    classes: Shift
    confidences: Shift

    @staticmethod
    def of(baseline: Baseline, tally: Tally) -> Comparison:
        """Compare."""
        return Comparison(
            compare(baseline.predicted, tally.predicted), compare(*parts(baseline.confidences, tally.confidences))
        )

    def drifted(self, limit: float) -> list[str]:
        """Return what has drifted, in words."""
        named = {"the class mix": self.classes, "the confidence": self.confidences}
        return [name for name, shift in named.items() if shift.is_drift(limit)]


def about(question: Question, verdict: str, reason: str) -> dict[str, Any]:
    """Return what every answer has."""
    window = question.window
    return {
        "ModelPackageGroupName": question.group,
        "EndpointName": question.endpoint,
        "WindowBegin": f"{window.begin:%Y-%m-%dT%H:%M:%SZ}",
        "WindowEnd": f"{window.end:%Y-%m-%dT%H:%M:%SZ}",
        "Verdict": verdict,
        "Reason": reason,
    }


def answer(question: Question, baseline: Baseline, tally: Tally, limit: float, *, complete: bool) -> dict[str, Any]:
    """Return the answer about a production whose answers were counted.

    Args:
        question: what was asked.
        baseline: the answers of the version's evaluation.
        tally: its answers in the window.
        limit: the index from which on a shift is drift.
        complete: whether all were read, or a sample.
    """
    counted = {
        "Answers": tally.answers,
        "Complete": complete,
        "OfOtherVersions": tally.others,
        "Unreadable": tally.unreadable,
        "BaselinePhotos": baseline.photos,
        "PsiLimit": limit,
    }
    if tally.answers < MIN_ANSWERS:
        reason = f"{tally.answers} answers, and at least {MIN_ANSWERS} are needed"
        return about(question, TOO_FEW, reason) | counted
    compared = Comparison.of(baseline, tally)
    drifted = compared.drifted(limit)
    reason = f"{' and '.join(drifted)} drifted" if drifted else "as in the evaluation"
    return {
        **about(question, DRIFTED if drifted else STABLE, reason),
        **counted,
        "ClassMixPsi": compared.classes.psi,
        "ConfidencePsi": compared.confidences.psi,
        "MeanConfidence": tally.confidence_sum / tally.answers,
        "BaselineMeanConfidence": baseline.mean_confidence,
        **_shares("Share", baseline.labels, tally.predicted),
        **_shares("BaselineShare", baseline.labels, baseline.predicted),
    }


def _shares(name: str, labels: Sequence[str], counts: Sequence[int]) -> dict[str, float]:
    return {f"{name}{label}": count / sum(counts) for label, count in zip(labels, counts, strict=True)}


def metrics(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return PutMetricData's members for an answer; none of what was not compared.

    `Drifted`, 0 or 1, is what the alarm looks at: limit, least answers and chance are weighed here, in one place.
    """
    figures: dict[str, tuple[float, str]] = {"CapturedAnswers": (answer["Answers"], "Count")}
    if answer["Verdict"] in {STABLE, DRIFTED}:
        figures |= {name: (answer[name], "None") for name in ("ClassMixPsi", "ConfidencePsi", "MeanConfidence")}
        figures["Drifted"] = (float(answer["Verdict"] == DRIFTED), "None")
    dimensions = [{"Name": "ModelPackageGroupName", "Value": answer["ModelPackageGroupName"]}]
    return [
        {"MetricName": name, "Dimensions": dimensions, "Value": value, "Unit": unit}
        for name, (value, unit) in figures.items()
    ]
