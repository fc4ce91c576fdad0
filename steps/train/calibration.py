"""Calibration: logits to probabilities that can be trusted, by a temperature and a bias for each class.

Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017, for the temperature; Alexandari, Kundaje and
Shrikumar, "Maximum Likelihood with Bias-Corrected Calibration is Hard-To-Beat at Label Shift Adaptation", ICML 2020,
for the bias. Class weights, soft targets and the classes beside the served ones make a model believe in other shares of
the classes than there are; a temperature alone cannot put that right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch.nn.functional import cross_entropy

SCALES = (0.05, 20.0)  # temperatures outside are no calibration but a fault
# Of what is believed of a bias, and of the logarithm of the temperature, before a photo is seen: with a thousand photos
# it hardly counts, with a few it keeps both from running away.
BIAS_SPREAD, SCALE_SPREAD = 0.3, 1.0


@dataclass(frozen=True)
class Calibration:
    """What is done to logits [n, classes] before softmax: over the temperature, plus the bias of each class."""

    temperature: float
    class_bias: tuple[float, ...]

    def apply(self, logits: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the calibrated logits."""
        return np.asarray(logits.astype(np.float64) / self.temperature + np.array(self.class_bias), dtype=np.float64)


def fit(logits: npt.NDArray[Any], targets: npt.NDArray[np.int64]) -> Calibration:
    """Return the calibration under which the targets [n], class indices, are most likely; a temperature of 0.05 to 20.

    The loss has one minimum in 1 / T and the biases, all of which the L-BFGS method finds together.
    """
    photos, classes = logits.shape
    if not (photos and np.isfinite(logits).all()):
        return Calibration(1.0, (0.0,) * classes)
    inputs, truth = torch.from_numpy(logits.astype(np.float64)), torch.from_numpy(targets)
    scale, bias = (torch.zeros(size, dtype=torch.float64, requires_grad=True) for size in (1, classes))
    optimizer = torch.optim.LBFGS([scale, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        believed = (bias.square().sum() / BIAS_SPREAD**2 + scale.square().sum() / SCALE_SPREAD**2) / 2
        value: torch.Tensor = cross_entropy(inputs * scale.exp() + bias, truth) + believed / photos
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    temperature = float(np.clip(np.exp(-scale.item()), *SCALES))
    return Calibration(temperature, tuple(bias.detach().tolist()))
