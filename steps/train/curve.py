"""The training curve as a picture."""

from __future__ import annotations

import io
from collections.abc import Sequence

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

History = Sequence[dict[str, float]]


def training_curve(history: History, best_epoch: int) -> bytes:
    """Draw losses and scores over the epochs as a PNG file.

    Args:
        history: an entry an epoch, as in `metrics.json`.
        best_epoch: the epoch whose weights were kept, from 1.
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    losses, scores = figure.subplots(1, 2)
    epochs = [entry["epoch"] for entry in history]
    for axes, names, title in (
        (losses, ("train_loss", "val_loss"), "Loss"),
        (scores, ("val_accuracy", "val_macro_f1"), "Score on validation"),
    ):
        for name in names:
            axes.plot(epochs, [entry[name] for entry in history], marker="o", markersize=3, label=name)
        axes.axvline(best_epoch, color="grey", linestyle=":", linewidth=1, label="kept")
        axes.set_title(title)
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    return buffer.getvalue()
