"""The predictor that Evaluate and the endpoint share: encoded photos in, counts with confidences out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from steps.common.artifact import ArtifactError, ModelSpec, read_spec
from steps.common.images import decode, to_input


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one photo."""

    predicted_label: str
    predicted_index: int
    confidence: float
    probabilities: tuple[float, ...]


class Predictor:
    """A model artifact in ONNX Runtime on the CPU.

    Args:
        folder: an unpacked artifact (see `steps.common.artifact.open_artifact`).
        threads: intra-op threads; 0 lets ONNX Runtime take all cores.

    Raises:
        ArtifactError: the graph cannot be loaded or does not have the shape that `model.json` promises.
    """

    def __init__(self, folder: Path, threads: int = 0) -> None:
        self.spec: ModelSpec = read_spec(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's exceptions share no base class
            raise ArtifactError(f"model.onnx cannot be loaded: {error}") from None
        self._input: str = self._session.get_inputs()[0].name
        logits = self.logits(np.zeros((1, self.spec.image_size, self.spec.image_size, 3), np.uint8))
        if logits.shape != (1, len(self.spec.class_labels)):
            raise ArtifactError(f"the graph answers {logits.shape[1:]} where model.json has {self.spec.class_labels}")

    def prepare(self, photo: bytes) -> npt.NDArray[np.uint8]:
        """Decode one photo to the model's input: uint8 [size, size, 3]. Raises steps.common.images.PhotoError."""
        return to_input(decode(photo, at_least=self.spec.image_size), self.spec.image_size)

    def logits(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Run the graph: uint8 [n, size, size, 3] to float32 [n, classes]."""
        try:
            answer: npt.NDArray[np.float32] = self._session.run(None, {self._input: batch})[0]
            if self.spec.flip_average:
                mirrored = np.ascontiguousarray(batch[:, :, ::-1])
                answer = (answer + self._session.run(None, {self._input: mirrored})[0]) / 2
        except Exception as error:
            raise ArtifactError(f"model.onnx does not run on photos of {batch.shape[1:]}: {error}") from None
        return answer

    def probabilities(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Softmax of the logits over the fitted temperature: float64 [n, classes], rows add up to 1."""
        scaled = self.logits(batch).astype(np.float64) / self.spec.temperature
        powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), dtype=np.float64)

    def predict(self, photos: Sequence[bytes]) -> list[Prediction]:
        """Count the items in each photo, all in one batch. Raises steps.common.images.PhotoError."""
        if not photos:
            return []
        rows = self.probabilities(np.stack([self.prepare(photo) for photo in photos]))
        return [self._prediction(row) for row in rows]

    def _prediction(self, row: npt.NDArray[np.float64]) -> Prediction:
        index = int(row.argmax())
        return Prediction(self.spec.class_labels[index], index, float(row[index]), tuple(row.tolist()))
