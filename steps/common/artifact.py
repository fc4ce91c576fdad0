"""The model artifact: `model.tar.gz`, or the folder it was made from.

model.onnx         uint8 photos [n, size, size, 3] (RGB) in, float32 logits [n, 5] out; normalisation is in the graph
model.json         ModelSpec: what a reader must know to use the graph, and where it came from
model.safetensors  the weights, to train on from
metrics.json       the training history, one entry an epoch
training_curve.png the same as a picture
"""

from __future__ import annotations

import gzip
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Annotated, BinaryIO, Literal, Self, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

MAX_ARTIFACT_BYTES = 2 * 2**30
MAX_MEMBERS = 1000
MAX_SPEC_BYTES = 2**20
# tarfile copies files in pieces of 16 KB; only a header that lies about its length asks for more at once.
MAX_READ_BYTES = 2**16
NOTHING_IS_SURE = 2.0  # no confidence reaches it

Engine = Literal["onnxruntime", "openvino"]
Level = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(ge=0.001, le=1000)]  # bounds that keep softmax and normalisation finite


class ArtifactError(Exception):
    """A file or folder that is no model artifact of ours; the message says what is wrong with it."""


class Normalization(BaseModel):
    """What the graph does to a pixel value p in 0-255: (p - mean) / std, for each of R, G, B."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean: tuple[Level, Level, Level]
    std: tuple[Positive, Positive, Positive]


class Measured(BaseModel):
    """What an engine did on the machine that the model was made on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    engine: Engine
    photos_per_second: float = Field(ge=0, allow_inf_nan=False, description="one at a time on one core")
    macro_f1: float = Field(ge=0, le=1, description="on photos of the validation channel")


class ModelSpec(BaseModel):
    """`model.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: str = Field(default="bincount-model-1", pattern="^bincount-model-1$")
    backbone: str
    image_size: int = Field(ge=8, le=4096, description="side of the square input, pixels")
    class_labels: tuple[Annotated[str, Field(min_length=1, max_length=64)], ...] = Field(min_length=2, max_length=1000)
    normalization: Normalization
    temperature: Positive = Field(default=1.0, description="logits are divided by it before softmax")
    class_bias: tuple[Annotated[float, Field(ge=-100, le=100)], ...] = Field(
        default=(), max_length=1000, description="added to the logits over the temperature; none: 0 for each class"
    )
    ask_below: float = Field(
        default=NOTHING_IS_SURE,  # an artifact that does not say has shown nothing
        ge=0,
        le=NOTHING_IS_SURE,
        description="a person is to look at answers of less confidence; above 1: at all",
    )
    near_credit: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="an answer that is one class off is worth this, a right one 1 (steps.common.decision)",
    )
    flip_average: bool = Field(default=False, description="mean of the logits of the photo and its mirror image")
    engine: Engine = Field(default="onnxruntime", description="what runs model.onnx (see steps.common.engines)")
    measured: tuple[Measured, ...] = Field(default=(), max_length=10, description="the engines it was chosen from")
    provenance: dict[str, str] = Field(default_factory=dict, description="commit, image, data hash, job, ...")

    @model_validator(mode="after")
    def _labels_fit(self) -> Self:
        if len(set(self.class_labels)) != len(self.class_labels):
            raise ValueError("class_labels holds a label twice")
        if self.class_bias and len(self.class_bias) != len(self.class_labels):
            raise ValueError("class_bias is not of as many classes as class_labels")
        return self


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


class _Bounded:
    """The part of a file that tarfile needs, without reads that would fill the memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int) -> bytes:
        if not 0 <= size <= MAX_READ_BYTES:
            raise tarfile.ReadError("a header claims an absurd length")
        return self._file.read(size)


def _extract(path: Path, folder: Path) -> None:
    try:
        with _uncompressed(path) as file, tarfile.open(fileobj=cast("BinaryIO", _Bounded(file)), mode="r:") as archive:
            _unpack(archive, path, folder)
    except ArtifactError:
        raise
    except FileNotFoundError:
        raise ArtifactError(f"{path} does not exist") from None
    except (
        Exception
    ) as error:  # a hostile archive makes tarfile raise nearly anything, RecursionError and zlib.error too
        raise ArtifactError(f"{path} is no model.tar.gz: {one_line(error)}") from None


def _unpack(archive: tarfile.TarFile, path: Path, folder: Path) -> None:
    """Unpack plain files and folders, each checked before its bytes are written: the archive may be anybody's."""
    total = 0
    for count, member in enumerate(archive, start=1):
        total += member.size
        if total > MAX_ARTIFACT_BYTES or count > MAX_MEMBERS:
            raise ArtifactError(f"{path} unpacks to more than {MAX_ARTIFACT_BYTES} bytes or {MAX_MEMBERS} files")
        if not (member.isreg() or member.isdir()):
            raise ArtifactError(f"{path} holds {member.name!r}, which is no plain file")
        _write(archive, member, folder)


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    """Write one plain member. By hand: tarfile's filters came with 3.11.4, and images on Debian 12's have 3.11.2."""
    place = PurePosixPath(member.name.lstrip("/"))
    if ".." in place.parts:
        raise ArtifactError(f"the artifact holds {member.name!r}, which lies outside of it")
    target = folder / place
    if member.isdir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    content = archive.extractfile(member)
    with target.open("wb") as file:
        if content is not None:
            shutil.copyfileobj(content, file)


def _uncompressed(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
    return cast("BinaryIO", gzip.open(path)) if compressed else path.open("rb")


def one_line(error: Exception, characters: int = 300) -> str:
    """Return what an exception of a library says as one printable line of limited length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return "".join(character if character.isprintable() else "?" for character in text)[:characters]


def _checked(folder: Path) -> Path:
    missing = [name for name in ("model.onnx", "model.json") if not (folder / name).is_file()]
    if missing:
        raise ArtifactError(f"the artifact lacks {' and '.join(missing)}")
    return folder


def read_spec(folder: Path) -> ModelSpec:
    """Read and check `model.json`.

    Raises:
        ArtifactError: it is missing, too large, no JSON, or a member is missing, unknown or out of its range.
    """
    try:
        with (folder / "model.json").open("rb") as file:
            text = file.read(MAX_SPEC_BYTES + 1)
    except OSError as error:
        raise ArtifactError(f"model.json cannot be read: {error.strerror}") from None
    if len(text) > MAX_SPEC_BYTES:
        raise ArtifactError(f"model.json is longer than {MAX_SPEC_BYTES} bytes")
    try:
        return ModelSpec.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise ArtifactError(one_line(ValueError(f"model.json is not ours: {where}: {first['msg']}"))) from None
