"""Which engine serves the model: chosen by speed among those that keep the score, measured on validation photos."""

from __future__ import annotations

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from steps.common.artifact import ArtifactError, Engine, Measured, ModelSpec
from steps.common.decision import NEAR_CREDIT
from steps.common.files import write_json
from steps.common.job import JobError
from steps.common.predictor import Predictor
from steps.common.processor import cores
from steps.train.data import Photos, batches
from steps.train.progress import say
from steps.train.sampler import Indices
from steps.train.validation import Logits, Scores, score

REFERENCE: Engine = "onnxruntime"  # computes in fp32, and agrees with torch: `export` proves it
MAX_LOSS = 0.005  # of macro-F1, for speed
MARGIN = 1.15  # below this gain the reference serves: it is exact, and a choice must not hang on a busy moment
MAX_PHOTOS = 2048  # enough to tell 0.005 as well as noise allows; a big validation set would hold the job up
BATCH = 32
TIMED_PHOTOS, ROUNDS = 8, 5


@dataclass(frozen=True)
class Served:
    """An engine on the validation photos: how fast, on one core (None: not asked), and how it scores."""

    engine: Engine
    scores: Scores
    photos_per_second: float | None = None


def settle(folder: Path, spec: ModelSpec, asked: str, photos: Photos, target_accuracy: float) -> Scores:
    """Choose the engine and write the final `model.json`, calibrated on the logits that are served.

    Args:
        folder: holds model.onnx.
        spec: all but the engine, its calibration and what was measured.
        asked: auto, or the engine.
        photos: the validation channel.
        target_accuracy: of the answers that stand without a person.

    Returns:
        The scores of the served model, with what it was calibrated to.

    Raises:
        JobError: the engine that was asked for is not installed or cannot run the graph.
    """
    names = get_args(Engine) if asked == "auto" else [engine for engine in get_args(Engine) if engine == asked]
    predictors = {name: predictor for name in names if (predictor := _opened(folder, spec, name, asked)) is not None}
    logits, targets = _logits(predictors, photos)
    speeds = _speeds(predictors, photos) if len(predictors) > 1 else {}
    candidates = [Served(name, score(logits[name], targets, target_accuracy), speeds.get(name)) for name in predictors]
    served = choose(candidates)
    for candidate in candidates:
        say(in_words(candidate, candidates[0]))
    say(f"served by {served.engine}" + ("" if asked == "auto" else ", as asked for"))
    served_spec = spec.model_copy(
        update={
            "engine": served.engine,
            "temperature": served.scores.temperature,
            "class_bias": served.scores.class_bias,
            "ask_below": served.scores.ask_below,
            "near_credit": NEAR_CREDIT,
            "measured": tuple(
                Measured(engine=each.engine, photos_per_second=each.photos_per_second, macro_f1=each.scores.macro_f1)
                for each in candidates
                if each.photos_per_second is not None
            ),
        }
    )
    write_json(folder / "model.json", served_spec.model_dump(mode="json"))
    return served.scores


def choose(candidates: list[Served]) -> Served:
    """Return the fastest of those that keep the first one's macro-F1, and the first unless another gains enough."""
    first = candidates[0]
    able = [
        each
        for each in candidates[1:]
        if each.scores.macro_f1 >= first.scores.macro_f1 - MAX_LOSS and _gain(each, first) >= MARGIN
    ]
    return max(able, key=lambda each: each.photos_per_second or 0.0, default=first)


def _gain(candidate: Served, reference: Served) -> float:
    return (candidate.photos_per_second or 0.0) / (reference.photos_per_second or 1.0)


def in_words(candidate: Served, reference: Served) -> str:
    """Return a candidate's line for the log."""
    loss = candidate.scores.macro_f1 - reference.scores.macro_f1
    speed = "" if candidate.photos_per_second is None else f"{candidate.photos_per_second:.0f} photos/s on one core, "
    refused = " (refused: it loses too much)" if loss < -MAX_LOSS else ""
    return f"engine {candidate.engine}: {speed}macro-F1 {candidate.scores.macro_f1:.4f}, {loss:+.4f}{refused}"


def _opened(folder: Path, spec: ModelSpec, engine: Engine, asked: str) -> Predictor | None:
    """Open the artifact as it would be served; an engine that cannot and need not is left out."""
    write_json(folder / "model.json", spec.model_copy(update={"engine": engine}).model_dump(mode="json"))
    try:
        return Predictor(folder, threads=1)  # as the endpoint does
    except ArtifactError as error:
        if engine in {asked, REFERENCE}:
            raise JobError(f"engine={asked}: {error}") from None
        say(f"engine {engine}: {error}")
        return None


def _logits(predictors: dict[Engine, Predictor], photos: Photos) -> tuple[dict[Engine, Logits], Indices]:
    """Return each engine's logits [n, classes] on the photos, or on MAX_PHOTOS evenly spread ones, and the targets."""
    number = len(photos.shards)
    chosen = np.linspace(0, number - 1, min(number, MAX_PHOTOS)).astype(np.int64)
    rows: dict[Engine, list[Logits]] = {name: [] for name in predictors}
    with ThreadPoolExecutor(cores(), thread_name_prefix="decode") as pool:
        for batch in batches(photos, np.split(chosen, range(BATCH, len(chosen), BATCH)), 0, pool):
            for name, predictor in predictors.items():
                rows[name].append(predictor.logits(batch.photos.numpy()))
    return {name: np.concatenate(parts) for name, parts in rows.items()}, photos.targets[chosen]


def _speeds(predictors: dict[Engine, Predictor], photos: Photos) -> dict[Engine, float]:
    """Return photos/s of each engine, one photo at a time: the median round of several, in which they take turns.

    Seconds of a core, not of the clock: trials that run beside this one would otherwise decide.
    """
    some = [photos.pixels(index, 0)[None] for index in range(min(TIMED_PHOTOS, len(photos.shards)))]
    rounds: dict[Engine, list[float]] = {name: [] for name in predictors}
    for _ in range(ROUNDS):
        for name, predictor in predictors.items():
            begun = time.process_time()
            for photo in some:
                predictor.logits(photo)
            rounds[name].append(len(some) / (time.process_time() - begun))
    return {name: statistics.median(taken) for name, taken in rounds.items()}
