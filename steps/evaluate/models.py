"""Artifacts opened for evaluation: what is wrong with one becomes the job's one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from steps.common.artifact import ArtifactError, open_artifact
from steps.common.files import sha256
from steps.common.job import JobError
from steps.common.predictor import Predictor

ARCHIVE = "model.tar.gz"


@dataclass(frozen=True, slots=True)
class Model:
    """An artifact: its unpacked folder, its predictor, and the SHA-256 of its archive (of its graph, for a folder)."""

    folder: Path
    predictor: Predictor
    digest: str


def find_artifact(channel: Path) -> Path | None:
    """Return the artifact that an input channel holds: model.tar.gz, an unpacked one, or None where there is neither.

    Raises:
        JobError: the channel holds files, but no artifact among them.
    """
    if not channel.is_dir() or not any(channel.iterdir()):
        return None
    if (channel / ARCHIVE).is_file():
        return channel / ARCHIVE
    if (channel / "model.json").is_file():
        return channel
    names = ", ".join(sorted(path.name for path in channel.iterdir())[:3])
    raise JobError(f"{channel} holds {names}, but no {ARCHIVE}: give the S3 prefix of a model's artifact")


@contextmanager
def open_model(path: Path, role: str) -> Iterator[Model]:
    """Load an artifact; `role` (model or champion) names it in the error.

    Raises:
        JobError: it is no artifact of ours, or its graph does not do what its model.json says.
    """
    with ExitStack() as stack:
        with blame(role):
            folder = stack.enter_context(open_artifact(path))
            model = Model(folder, Predictor(folder), sha256(path if path.is_file() else folder / "model.onnx"))
        yield model


@contextmanager
def blame(role: str) -> Iterator[None]:
    """Turn what is wrong with an artifact into the job's one line, which says whose artifact it is."""
    try:
        yield
    except ArtifactError as error:
        raise JobError(f"the {role}'s artifact cannot be used: {error}") from None
