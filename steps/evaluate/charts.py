"""Where things lie in the report's charts: numbers in, SVG coordinates out. The marks themselves are in charts.html."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from steps.evaluate.history import Epoch

Json = dict[str, Any]
Point = tuple[float, float]

# Name in metrics.json, words of the legend, class of the line. Panels without a line are left out.
PANELS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    ("Loss", (("train_loss", "training", "second"), ("val_loss", "validation", "first"))),
    ("Validation score", (("val_macro_f1", "macro-F1", "first"), ("val_accuracy", "accuracy", "third"))),
)


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high` over the pixels from `start` to `end`."""

    low: float
    high: float
    start: float
    end: float
    least_step: float = 0.0

    def at(self, value: float) -> float:
        """Return the pixel of a value."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 2)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Pixel and text of a few round values."""
        step = 10 ** math.floor(math.log10((self.high - self.low) / 2))
        wide = next(step * times for times in (1, 2, 5, 10) if (self.high - self.low) / (step * times) <= 6)
        wide = max(wide, self.least_step)
        digits = max(0, -math.floor(math.log10(wide)))
        first, last = math.ceil(self.low / wide - 1e-9), math.floor(self.high / wide + 1e-9)
        return [(self.at(index * wide), f"{index * wide:.{digits}f}") for index in range(first, last + 1)]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a panel."""

    name: str
    style: str
    points: list[Point]


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart of lines; `mark` is the pixel of what the artifact holds: its epoch, or its coverage."""

    title: str
    x: Axis
    y: Axis
    lines: list[Line]
    mark: float | None


def training_panels(history: Sequence[Epoch], kept: str = "") -> list[Panel]:
    """Lay out the training curve; no panel where fewer than two epochs have its numbers.

    Args:
        history: the numbers of each epoch.
        kept: the epoch whose weights the artifact holds, as its provenance has it.
    """
    epochs = [epoch.get("epoch", index) for index, epoch in enumerate(history, start=1)]
    if len(set(epochs)) < 2:
        return []
    x = Axis(min(epochs), max(epochs), 36, 304, least_step=1)
    at_kept = x.at(float(kept)) if kept.isdecimal() and x.low <= float(kept) <= x.high else None
    panels = []
    for title, names in PANELS:
        series = [
            (words, style, [(at, epoch[name]) for at, epoch in zip(epochs, history, strict=True) if name in epoch])
            for name, words, style in names
        ]
        if max(len(values) for _, _, values in series) > 1:
            panels.append(_panel(title, x, series, at_kept))
    return panels


def _panel(title: str, x: Axis, series: list[tuple[str, str, list[Point]]], kept: float | None) -> Panel:
    y = _around([value for _, _, values in series for _, value in values], 190, 14)
    lines = [Line(words, style, [(x.at(at), y.at(value)) for at, value in values]) for words, style, values in series]
    return Panel(title, x, y, [line for line in lines if line.points], kept)


def _around(values: Sequence[float], start: float, end: float) -> Axis:
    low, high = min(values), max(values)
    margin = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return Axis(min(low - margin, 0) if low < 0 else max(low - margin, 0), high + margin, start, end)


@dataclass(frozen=True, slots=True)
class Reliability:
    """The reliability curve with the number of photos below it. A dot is (x, y, radius, words)."""

    x: Axis
    y: Axis
    dots: list[tuple[float, float, float, str]]
    bars: list[tuple[float, float, float, float]]


def reliability(bins: Sequence[Json]) -> Reliability:
    """Lay out the confidence bins that hold photos (see `evaluation.json`, `calibration`)."""
    x, y = Axis(0, 1, 36, 304), Axis(0, 1, 190, 12)
    most = max(row["photos"] for row in bins) or 1
    width = (x.end - x.start) / len(bins)
    filled = [(index, row) for index, row in enumerate(bins) if row["photos"]]
    dots = [
        (
            x.at(row["confidence"]),
            y.at(row["accuracy"]),
            round(3 + 6 * math.sqrt(row["photos"] / most), 1),
            f"{row['photos']} photos: confidence {row['confidence']:.0%}, right {row['accuracy']:.0%}",
        )
        for _, row in filled
    ]
    heights = [(index, max(36 * row["photos"] / most, 1)) for index, row in filled]
    bars = [
        (round(x.start + index * width + 1, 2), round(256 - height, 2), round(width - 2, 2), round(height, 2))
        for index, height in heights
    ]
    return Reliability(x, y, dots, bars)


def coverage_panel(curve: Sequence[Json], coverage: float) -> Panel:
    """Lay out the scores of the surest answers over their share (see `evaluation.json`, `selection`)."""
    x, y = Axis(0, 1, 36, 304), Axis(0, 1, 190, 14)
    lines = [
        Line(words, style, [(x.at(point["coverage"]), y.at(point[name])) for point in curve])
        for words, style, name in (("exact", "first", "accuracy"), ("within one", "third", "within_one_accuracy"))
    ]
    return Panel("Right among the surest", x, y, lines, x.at(coverage) if coverage else None)


@dataclass(frozen=True, slots=True)
class Row:
    """A score on the common scale, with its interval where it has one."""

    name: str
    style: str
    y: float
    value: float
    at: float
    interval: Point | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """Macro-F1 of the model, the champion and the majority class on one scale, with the gate's line."""

    x: Axis
    rows: list[Row]
    gate: float | None


def comparison(evaluation: Json, minimum: float | None) -> Comparison:
    """Lay out the headline's scale from what evaluation.json holds."""
    x = Axis(0, 1, 132, 560)
    scores = [("This model", "first", evaluation["multiclass_classification_metrics"]["macro_f1"])]
    if evaluation["champion"]["present"]:
        scores.append(("Champion", "second", evaluation["champion"]["macro_f1"]))
    majority = evaluation["majority_class"]
    scores.append((f"Always “{majority['label']}”", "third", {"value": majority["macro_f1"]}))
    rows = []
    for index, (name, style, figure) in enumerate(scores):
        bounds = figure.get("confidence_interval")
        interval = (x.at(bounds["lower"]), x.at(bounds["upper"])) if bounds else None
        rows.append(Row(name, style, 30.0 + 28 * index, figure["value"], x.at(figure["value"]), interval))
    return Comparison(x, rows, None if minimum is None else x.at(min(max(minimum, 0), 1)))
