"""The predictor that Evaluate and the endpoint share: encoded photos in, counts with confidences out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from steps.common.artifact import ArtifactError, ModelSpec, one_line, read_spec
from steps.common.decision import decide, softmax
from steps.common.engines import open_graph
from steps.common.images import decode, to_input


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer for one photo. `probabilities` are in the order of the artifact's class labels.

    `confidence` is the probability of `predicted_label`, which need not be the highest (see `steps.common.decision`).
    `ask_a_person` says that the confidence is below that from which on the artifact's answers stand on their own.
    """

    predicted_label: str
    predicted_index: int
    confidence: float
    ask_a_person: bool
    probabilities: tuple[float, ...]


class Predictor:
    """A model artifact in the engine that it names, on the CPU. Threads may share one.

    Args:
        folder: an unpacked artifact (see `steps.common.artifact.open_artifact`).
        threads: cores for one call; 0: all.
        callers: threads that call at once, where each call has one core: more of them wait for one another.

    Raises:
        ArtifactError: the engine is not installed, or the graph cannot be loaded, does not have the shape that
            `model.json` promises, or answers with something else than finite numbers.
    """

    def __init__(self, folder: Path, threads: int = 0, callers: int = 1) -> None:
        self.spec: ModelSpec = read_spec(folder)
        size = self.spec.image_size
        self._graph = open_graph(folder / "model.onnx", self.spec.engine, size, threads, callers)
        self.logits(np.zeros((2, size, size, 3), np.uint8))  # two: a graph exported for one photo a time shows here

    def prepare(self, photo: bytes) -> npt.NDArray[np.uint8]:
        """Decode one photo to the model's input: uint8 [size, size, 3]. Raises steps.common.images.PhotoError."""
        return to_input(decode(photo, at_least=self.spec.image_size), self.spec.image_size)

    def logits(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Run the graph: uint8 [n, size, size, 3] to finite float32 [n, classes]. Raises ArtifactError."""
        answer = self._run(batch)
        if not self.spec.flip_average:
            return answer
        mirrored = self._run(np.ascontiguousarray(batch[:, :, ::-1]))
        return np.asarray(answer / 2 + mirrored / 2, dtype=np.float32)  # halves first: large logits do not overflow

    def _run(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        try:
            answer = np.asarray(self._graph(batch), dtype=np.float32)
        except Exception as error:
            raise ArtifactError(f"model.onnx does not run on photos of {batch.shape[1:]}: {one_line(error)}") from None
        promised = (len(batch), len(self.spec.class_labels))
        if answer.shape != promised:
            raise ArtifactError(f"model.onnx answers shape {answer.shape} where model.json promises {promised}")
        if not np.isfinite(answer).all():  # NaN would go on as the first class, with a confidence that JSON cannot hold
            raise ArtifactError("model.onnx answers with numbers that are not finite")
        return answer

    def probabilities(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float64]:
        """Return the calibrated probabilities of photos uint8 [n, size, size, 3]: as `calibrate` does."""
        return self.calibrate(self.logits(batch))

    def calibrate(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Softmax of logits [n, classes] at the artifact's temperature and biases: float64, rows add up to 1."""
        scaled = logits.astype(np.float64) / self.spec.temperature
        if self.spec.class_bias:
            scaled += self.spec.class_bias
        return softmax(scaled)

    def classify(self, batch: npt.NDArray[np.uint8]) -> list[Prediction]:
        """Count the items in photos that `prepare` made ready: uint8 [n, size, size, 3], n answers in their order."""
        probabilities = self.probabilities(batch)
        chosen, confidences = decide(probabilities, self.spec.near_credit)
        return [self._prediction(*one) for one in zip(probabilities, chosen, confidences, strict=True)]

    def predict(self, photos: Sequence[bytes]) -> list[Prediction]:
        """Count the items in each encoded photo, all in one batch. Raises steps.common.images.PhotoError."""
        return self.classify(np.stack([self.prepare(photo) for photo in photos])) if photos else []

    def _prediction(self, row: npt.NDArray[np.float64], index: np.int64, confidence: np.float64) -> Prediction:
        asks = bool(confidence < self.spec.ask_below)
        return Prediction(self.spec.class_labels[index], int(index), float(confidence), asks, tuple(row.tolist()))
