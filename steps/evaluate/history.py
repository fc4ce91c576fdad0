"""The training history that an artifact carries in `metrics.json`: for the report's training curve."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

MAX_BYTES = 5 * 2**20
PNG = b"\x89PNG\r\n\x1a\n"

Epoch = Mapping[str, float]


def read_history(folder: Path) -> list[Epoch]:
    """Return the finite numbers of each epoch, by name; nothing where the artifact has no history that can be read.

    A report is worth having without its training curve, so a faulty file is no error.
    """
    path = folder / "metrics.json"
    try:
        if path.stat().st_size > MAX_BYTES:
            return []
        epochs = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return []
    if not isinstance(epochs, list):
        return []
    return [numbers for epoch in epochs if isinstance(epoch, dict) and (numbers := _numbers(epoch))]


def _numbers(epoch: dict[str, Any]) -> Epoch:
    return {
        name: float(value)
        for name, value in epoch.items()
        if isinstance(value, int | float) and abs(value) < 1e12 and math.isfinite(value)
    }


def read_curve(folder: Path) -> str | None:
    """Return `training_curve.png` as a data URI, None where there is no such picture."""
    path = folder / "training_curve.png"
    try:
        if path.stat().st_size > MAX_BYTES:
            return None
        data = path.read_bytes()
    except OSError:
        return None
    return "data:image/png;base64," + base64.b64encode(data).decode() if data.startswith(PNG) else None
