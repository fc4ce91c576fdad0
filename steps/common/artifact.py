"""The model artifact: `model.tar.gz`, or the folder it was made from.

model.onnx         uint8 photos [n, size, size, 3] (RGB) in, float32 logits [n, 5] out; normalisation is in the graph
model.json         ModelSpec: what a reader must know to use the graph, and where it came from
model.safetensors  the weights, to train on from
metrics.json       the training history, one entry an epoch
training_curve.png the same as a picture
"""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

MAX_ARTIFACT_BYTES = 2 * 2**30


class ArtifactError(Exception):
    """A file or folder that is no model artifact of ours; the message says what is wrong with it."""


class Normalization(BaseModel):
    """What the graph does to a pixel value p in 0-255: (p - mean) / std, for each of R, G, B."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: tuple[float, float, float]
    std: tuple[float, float, float]


class ModelSpec(BaseModel):
    """`model.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str = Field(default="bincount-model-1", pattern="^bincount-model-1$")
    backbone: str
    image_size: int = Field(ge=8, le=4096, description="side of the square input, pixels")
    class_labels: tuple[str, ...] = Field(min_length=2)
    normalization: Normalization
    temperature: float = Field(default=1.0, gt=0, description="logits are divided by it before softmax")
    flip_average: bool = Field(default=False, description="mean of the logits of the photo and its mirror image")
    engine: str = Field(default="onnxruntime", pattern="^onnxruntime$")
    provenance: dict[str, str] = Field(default_factory=dict, description="commit, image, data hash, job, ...")


@contextmanager
def open_artifact(path: Path) -> Iterator[Path]:
    """Give the folder of an artifact: the path itself if it is one, else a temporary one, unpacked safely.

    Raises:
        ArtifactError: missing, no tar, unsafe or oversized members, or no `model.onnx` and `model.json` inside.
    """
    if path.is_dir():
        yield _checked(path)
        return
    with tempfile.TemporaryDirectory(prefix="bincount-model-") as folder:
        _extract(path, Path(folder))
        yield _checked(Path(folder))


def _extract(path: Path, folder: Path) -> None:
    try:
        with tarfile.open(path, "r:*") as archive:
            total = 0
            for member in archive:  # one pass: sizes are checked before the bytes are written
                total += member.size
                if total > MAX_ARTIFACT_BYTES:
                    raise ArtifactError(f"{path} unpacks to more than {MAX_ARTIFACT_BYTES} bytes")
                archive.extract(member, folder, filter="data")
    except FileNotFoundError:
        raise ArtifactError(f"{path} does not exist") from None
    except (tarfile.TarError, EOFError, OSError) as error:
        raise ArtifactError(f"{path} is no model.tar.gz: {error}") from None


def _checked(folder: Path) -> Path:
    missing = [name for name in ("model.onnx", "model.json") if not (folder / name).is_file()]
    if missing:
        raise ArtifactError(f"the artifact lacks {' and '.join(missing)}")
    return folder


def read_spec(folder: Path) -> ModelSpec:
    """Read and check `model.json`. Raises ArtifactError."""
    try:
        return ModelSpec.model_validate_json((folder / "model.json").read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ArtifactError(f"model.json is not ours: {where}: {first['msg']}") from None
