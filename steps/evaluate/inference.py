"""Photos through one or more models, in batches: memory holds one batch and each photo's answer, never the photos."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from steps.common.decision import decide
from steps.common.images import PhotoError
from steps.common.job import JobError
from steps.common.predictor import Predictor
from steps.evaluate.models import blame

BATCH = 32
PROGRESS_SECONDS = 5.0
ROLES = ("model", "champion")

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Sample:
    """A labelled photo, or why it cannot be read. Photos of one group are not independent of each other.

    `position` finds it again in its source.
    """

    id: str
    label: str
    group: str
    image: bytes | PhotoError
    position: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """A photo that gave no answer, and why."""

    id: str
    reason: str


@dataclass(slots=True)
class Answers:
    """What the models said about n photos; arrays are in the photos' order, classes in the order of `labels`.

    `true` holds class indices [n], `groups` the photos' group numbers [n] from 0 on, `probabilities` one array
    [n, classes] for each model, rows adding up to 1.
    """

    labels: tuple[str, ...]
    ids: list[str]
    positions: list[int]
    true: Integers
    groups: Integers
    probabilities: tuple[Floats, ...]
    failures: list[Failure] = field(default_factory=list)
    near_credits: tuple[float, ...] = (0.0, 0.0)
    """Of each model, see `steps.common.decision`."""

    def predicted(self, model: int = 0) -> Integers:
        """Return the class index [n] that a model answers."""
        return decide(self.probabilities[model], self.near_credits[model])[0]

    def confidence(self, model: int = 0) -> Floats:
        """Return the probability [n] of what it answers."""
        return decide(self.probabilities[model], self.near_credits[model])[1]


def answer(predictors: Sequence[Predictor], samples: Iterable[Sample], total: int, progress: Progress) -> Answers:
    """Run every model on the same photos; one that cannot be decoded or has no class of the models is left out of all.

    Args:
        predictors: the model and, where there is one, the champion; the order of the model's class labels is used.
        samples: photos, taken one batch at a time.
        total: how many there will be, for the progress lines.
        progress: where those lines go.

    Raises:
        JobError: the models do not have the same classes, one fails on these photos, or no photo could be used.
    """
    run = _Run(predictors)
    started = reported = time.monotonic()
    for batch in _batches(samples):
        run.add(batch)
        if time.monotonic() - reported >= PROGRESS_SECONDS:
            reported = time.monotonic()
            progress(f"evaluated {run.seen} of {total} photos ({run.seen / (reported - started):.1f} photos/s)")
    seconds = max(time.monotonic() - started, 1e-9)
    for failure in run.failures:
        progress(f"left out {failure.id!r}: {failure.reason}")
    progress(f"evaluated {run.seen} of {total} photos in {seconds:.1f} s ({run.seen / seconds:.1f} photos/s)")
    return run.finish()


def _batches(samples: Iterable[Sample]) -> Iterator[list[Sample]]:
    batch: list[Sample] = []
    for sample in samples:
        batch.append(sample)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


class _Run:
    """The answers so far."""

    def __init__(self, predictors: Sequence[Predictor]) -> None:
        self._predictors = predictors
        self._labels = predictors[0].spec.class_labels
        self._columns = [_columns(self._labels, predictor.spec.class_labels) for predictor in predictors]
        self._ids: list[str] = []
        self._positions: list[int] = []
        self._true: list[int] = []
        self._groups: list[int] = []
        self._numbers: dict[str, int] = {}
        self._rows: list[list[Floats]] = [[] for _ in predictors]
        self.failures: list[Failure] = []
        self.seen = 0

    def add(self, batch: list[Sample]) -> None:
        """Answer one batch with each model."""
        self.seen += len(batch)
        inputs = [(sample, prepared) for sample in batch if (prepared := self._prepare(sample)) is not None]
        if not inputs:
            return
        for model, (predictor, columns) in enumerate(zip(self._predictors, self._columns, strict=True)):
            photos = np.stack([prepared[model] for _, prepared in inputs])
            with blame(ROLES[model]):
                self._rows[model].append(predictor.probabilities(photos)[:, columns])
        for sample, _ in inputs:
            self._ids.append(sample.id)
            self._positions.append(sample.position)
            self._true.append(self._labels.index(sample.label))
            self._groups.append(self._numbers.setdefault(sample.group, len(self._numbers)))

    def _prepare(self, sample: Sample) -> list[npt.NDArray[np.uint8]] | None:
        if sample.label not in self._labels:
            self.failures.append(Failure(sample.id, f"label {sample.label!r} is no class of the model"))
            return None
        by_size: dict[int, npt.NDArray[np.uint8]] = {}
        try:
            if isinstance(sample.image, PhotoError):
                raise sample.image
            for predictor in self._predictors:
                size = predictor.spec.image_size
                if size not in by_size:
                    by_size[size] = predictor.prepare(sample.image)
        except PhotoError as error:
            self.failures.append(Failure(sample.id, str(error)))
            return None
        return [by_size[predictor.spec.image_size] for predictor in self._predictors]

    def finish(self) -> Answers:
        """Return the answers; at least one photo must have given one."""
        if not self._ids:
            first = f"; the first, {self.failures[0].id!r}: {self.failures[0].reason}" if self.failures else ""
            raise JobError(f"none of the {self.seen} photos could be evaluated{first}")
        return Answers(
            labels=self._labels,
            ids=self._ids,
            positions=self._positions,
            true=np.array(self._true, dtype=np.int64),
            groups=np.array(self._groups, dtype=np.int64),
            probabilities=tuple(np.concatenate(rows) for rows in self._rows),
            failures=self.failures,
            near_credits=tuple(predictor.spec.near_credit for predictor in self._predictors),
        )


def _columns(wanted: tuple[str, ...], given: tuple[str, ...]) -> list[int]:
    """Return where each wanted class stands in a model's answer."""
    if set(wanted) != set(given):
        raise JobError(f"the champion's classes {', '.join(given)} are not the model's {', '.join(wanted)}")
    return [given.index(label) for label in wanted]
