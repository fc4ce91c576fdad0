"""The endpoint's other peer: LitServe with two workers, the same model file and the same decoder.

`python -m benchmarks.litserve_server ARTIFACT PORT`. It takes what makes it fastest: the photo is the request's body,
not base64 in JSON; a worker runs its model on one core; requests go to the workers over ZeroMQ. (No postponed
annotations here: LitServe reads the request's type from the signature.)
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import litserve
import numpy as np
import numpy.typing as npt
from fastapi import Body

from steps.common.predictor import Predictor

WORKERS = 2


class Counter(litserve.LitAPI):  # type: ignore[misc]  # LitServe has no types
    """Counts the items in a photo."""

    def __init__(self, folder: Path) -> None:
        super().__init__(api_path="/invocations")
        self._folder = folder

    def setup(self, device: str) -> None:  # noqa: ARG002 - the signature is LitServe's
        """Load the model, once a worker."""
        self._predictor = Predictor(self._folder, threads=1)

    def decode_request(self, request: Annotated[bytes, Body()]) -> npt.NDArray[np.uint8]:
        """Decode a photo to the model's input."""
        return self._predictor.prepare(request)

    def predict(self, x: npt.NDArray[np.uint8]) -> dict[str, Any]:
        """Answer one photo."""
        prediction = self._predictor.classify(x[None])[0]
        return {"predicted_label": prediction.predicted_label, "probabilities": prediction.probabilities}

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        """Leave the answer as it is."""
        return output


def main(folder: str, port: str) -> None:
    """Serve until SIGTERM."""
    server = litserve.LitServer(
        Counter(Path(folder)), accelerator="cpu", workers_per_device=WORKERS, healthcheck_path="/ping", fast_queue=True
    )
    server.run(host="127.0.0.1", port=int(port), log_level="error", generate_client_file=False, access_log=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
