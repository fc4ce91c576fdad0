"""`report.html`: everything about one evaluation on one page that needs nothing but itself."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from steps.common.labels import SPLITS
from steps.common.split_report import SplitReport
from steps.evaluate.charts import comparison, coverage_panel, reliability, training_panels
from steps.evaluate.history import Epoch
from steps.evaluate.mistakes import Mistake

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of the gate."""

    words: str
    value: float
    least: float

    @property
    def passes(self) -> bool:
        """Whether the value reaches the least one that is asked for."""
        return self.value >= self.least


@dataclass(frozen=True, slots=True)
class Gate:
    """What the pipeline's condition asks for, to be shown only: None where it was not told."""

    macro_f1: float | None = None
    improvement: float | None = None

    def checks(self, evaluation: Json) -> list[Check]:
        """Return the conditions that are known; without a champion there is nothing to improve on."""
        checks = []
        if self.macro_f1 is not None:
            value = evaluation["multiclass_classification_metrics"]["macro_f1"]["value"]
            checks.append(Check("macro-F1", value, self.macro_f1))
        if self.improvement is not None and evaluation["champion"]["present"]:
            value = evaluation["champion"]["improvement"]["value"]
            checks.append(Check("improvement on the champion", value, self.improvement))
        return checks


@dataclass(frozen=True, slots=True)
class Extras:
    """What the report shows beside the figures; each part but the labels may be missing."""

    labels: Sequence[str]
    gate: Gate = Gate()
    mistakes: Sequence[tuple[Mistake, str | None]] = ()
    history: Sequence[Epoch] = ()
    curve: str | None = None
    split: SplitReport | None = None


def render(evaluation: Json, extras: Extras) -> str:
    """Fill the template. Every text of the inputs is escaped: ids and provenance may be anybody's."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(percent=percent, signed=signed, score=score, readable=readable)
    return environment.get_template("report.html").render(
        evaluation=evaluation,
        metrics=evaluation["multiclass_classification_metrics"],
        champion=evaluation["champion"],
        majority=evaluation["majority_class"],
        checks=extras.gate.checks(evaluation),
        comparison=comparison(evaluation, extras.gate.macro_f1),
        reliability=reliability(evaluation["calibration"]),
        selection=evaluation["selection"],
        coverage=coverage_panel(
            evaluation["selection"]["curve"], evaluation["multiclass_classification_metrics"]["coverage"]["value"]
        ),
        panels=training_panels(extras.history, evaluation["model"]["provenance"].get("best_epoch", "")),
        extras=extras,
        splits=SPLITS,
    )


def readable(text: str) -> str:
    """Return a JSON object, as provenance holds the hyperparameters, as `name value, ...`; any other text as it is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return ", ".join(f"{name} {one}" for name, one in value.items()) if isinstance(value, dict) else text


def percent(value: float, digits: int = 1) -> str:
    """0.615 as 61.5 %, with a space that does not break."""
    return f"{100 * value:.{digits}f}\N{NO-BREAK SPACE}%"


def score(value: float) -> str:
    """A score of 0 to 1, or an error in items, to three digits."""
    return f"{value:.3f}"


def signed(value: float) -> str:
    """A difference with its sign, the minus as typesetters write it."""
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")
