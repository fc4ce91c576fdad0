"""The model behind the endpoint: photos in, answers as they go into JSON out."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from steps.common.artifact import open_artifact
from steps.common.files import sha256
from steps.common.images import TruncatedError
from steps.common.predictor import Prediction, Predictor
from steps.common.processor import cores

VERSION_DIGITS = 12


class Model:
    """A predictor and its version. Threads may share one.

    Args:
        folder: the unpacked artifact.
        version: what each answer names; "" for the first 12 hexadecimal digits of the SHA-256 of the graph.

    Raises:
        steps.common.artifact.ArtifactError: it is no artifact of ours, or the graph does not run.
    """

    def __init__(self, folder: Path, version: str = "") -> None:
        with open_artifact(folder) as checked:
            # One thread a run, and a run at once for each core. On 2 cores, EfficientNet-Lite0 at 160
            # pixels, runs at once x threads a run: 2 x 1 254 photos/s at 8 ms, 1 x 2 179 at 5 ms, 2 x 2 161 at 13 ms;
            # with 8 callers 1 thread keeps its rate and 2 do not. Merging photos of different requests into a batch
            # gained nothing either: 231 photos/s in fours. A photo that has the server to itself gets all cores.
            # One caller more than there are cores, as one may be waiting for Python.
            self.predictor = Predictor(checked, threads=1, callers=cores() + 1)
            self._lone = Predictor(checked, threads=0)
            self.version = version or sha256(checked / "model.onnx")[:VERSION_DIGITS]
        self._labels = list(self.predictor.spec.class_labels)

    def warm_up(self) -> None:
        """Answer a photo, so that no request pays for what the first one loads: decoders, the graph's memory."""
        side = self.predictor.spec.image_size
        file = io.BytesIO()
        Image.new("RGB", (2 * side, side), "gray").save(file, "JPEG")
        for predictor in (self.predictor, self._lone):
            predictor.predict([file.getvalue()])

    def prepare(self, photo: bytes) -> npt.NDArray[np.uint8]:
        """Decode a photo to the model's input. Raises steps.common.images.PhotoError."""
        if not photo:
            raise TruncatedError("the photo is empty")
        return self.predictor.prepare(photo)

    def answer(self, photo: bytes, *, alone: bool = False) -> dict[str, Any]:
        """Count the items in one photo, on all cores where it is `alone`. Raises steps.common.images.PhotoError."""
        predictor = self._lone if alone else self.predictor
        return self._answer(predictor.classify(self.prepare(photo)[None])[0])

    def classify(self, prepared: Sequence[npt.NDArray[np.uint8]]) -> list[dict[str, Any]]:
        """Count the items in photos that `prepare` made ready, in one batch; answers in their order."""
        return [self._answer(prediction) for prediction in self.predictor.classify(np.stack(prepared))]

    def _answer(self, prediction: Prediction) -> dict[str, Any]:
        return {
            "predicted_label": prediction.predicted_label,
            "predicted_index": prediction.predicted_index,
            "confidence": prediction.confidence,
            "ask_a_person": prediction.ask_a_person,
            "probabilities": prediction.probabilities,
            "class_labels": self._labels,
            "model_version": self.version,
        }
