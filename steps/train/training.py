"""A training job from its channels to its artifact, as one of `world` processes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from steps.common.artifact import ModelSpec
from steps.common.files import atomic_file, write_json
from steps.common.job import JobError, base_dir
from steps.common.labels import CLASS_LABELS, LABELS
from steps.train import depthwise, teachers, weights
from steps.train.backbones import FAMILIES, PhotoClassifier, build
from steps.train.border import picture, width
from steps.train.checkpoint import Checkpoints, Position, fingerprint
from steps.train.classes import SERVED
from steps.train.data import Photos, open_channel, open_training
from steps.train.ddp import Cluster
from steps.train.hyperparameters import Hyperparameters
from steps.train.loop import Run, Trainer
from steps.train.precision import choose
from steps.train.progress import say
from steps.train.provenance import code_digest, data_identity, provenance
from steps.train.records import read_records
from steps.train.sampler import plan
from steps.train.selection import in_words

COMPARED = 8  # photos on which ONNX Runtime and torch must agree


def train(parameters: Hyperparameters, cluster: Cluster, stop: Callable[[], bool]) -> None:
    """Train, and leave the artifact in the model folder.

    Args:
        parameters: of the job.
        cluster: this process among the others.
        stop: whether this process was asked to stop.

    Raises:
        JobError: what the user can mend.
        StoppedError: the job was stopped; its checkpoint is written.
    """
    channels = base_dir() / "input" / "data"
    side = picture(parameters.image_size, parameters.augment)
    data = open_training(channels, side, parameters.seed, parameters.augment)
    records = read_records(data.shards) if parameters.record_weight else None
    if records is not None and records.outputs:
        data = replace(data, classes=replace(data.classes, extra=records.outputs))
    else:
        records = None
    validation = open_channel(channels / "validation", parameters.image_size, parameters.seed)
    if not cluster.same_everywhere(data.outline()) or not cluster.same_everywhere(validation.outline()):
        raise JobError("the hosts have different data: the channels must be FullyReplicated")
    taught_by = teachers.artifacts(channels) if parameters.teacher_weight else []
    digests = {"train": data.digest(), "validation": validation.digest()} if cluster.leads else {}
    start = weights.digest(parameters.backbone, parameters.weights, channels / "weights")
    known = [*digests.values(), f"weights {start}", *teachers.digests(taught_by)]
    folder = base_dir() / "checkpoints" / fingerprint(parameters, known, code_digest())
    with ThreadPoolExecutor(decoders(cluster), thread_name_prefix="decode") as pool:
        run = Run(
            parameters,
            data,
            validation,
            plan(len(data.shards), parameters.batch_size, cluster.world, parameters.seed),
            cluster,
            choose(parameters.precision, cluster.device),
            Checkpoints(folder),
            pool,
            stop,
            records,
            teachers.ask(taught_by, data, cluster, pool) if taught_by else None,
        )
        model = start_model(run, channels / "weights")
        introduce(run)
        trainer = Trainer(run, model)
        trainer.resume()
        position = trainer.fit()
    cluster.close()
    if cluster.leads:
        write_artifact(run, position, data_identity(channels / "split", digests))
        run.checkpoints.remove()


def decoders(cluster: Cluster) -> int:
    """Return the number of decoding threads: on a GPU all cores are free for it, on a CPU the model needs them."""
    cores = torch.get_num_threads()
    return cores if cluster.device.type == "cuda" else max(1, cores // 2)


def start_model(run: Run, channel: Path) -> PhotoClassifier:
    """Build the model, the same on every rank, with its starting weights, on the device."""
    parameters = run.parameters
    torch.manual_seed(parameters.seed)
    model = build_model(run)
    line = weights.load(model.backbone, parameters.backbone, parameters.weights, channel)
    if run.cluster.leads:
        say(line)
    if run.choice.format == "bf16" and run.cluster.device.type == "cpu":
        depthwise.mend(model)
    layout = torch.channels_last if run.choice.channels_last else torch.contiguous_format
    return model.to(run.cluster.device, memory_format=layout)  # type: ignore[call-overload, no-any-return]


def build_model(run: Run) -> PhotoClassifier:
    """Build the run's model from scratch."""
    parameters = run.parameters
    return build(
        parameters.backbone,
        parameters.dropout,
        parameters.drop_path,
        parameters.image_size,
        run.train.classes,
        width(parameters.image_size, parameters.augment),
    )


def introduce(run: Run) -> None:
    """Say what runs, on what, and why."""
    if not run.cluster.leads:
        return
    parameters, plan_ = run.parameters, run.plan
    say(f"precision: {run.choice.reason}")
    say(f"device: {run.cluster.device}, {run.cluster.world} process(es) of {torch.get_num_threads()} threads")
    say(f"loader: {decoders(run.cluster)} thread(s) in the process: quick to start, and decoding releases the GIL")
    say(
        f"data: {len(run.train.shards)} photos to train on, {len(run.validation.shards)} to validate; "
        f"{plan_.steps} steps an epoch of {plan_.batch} photos"
    )
    if run.records is not None:
        say(f"records: {run.records.known.sum()} photos teach {run.records.words.shape[1]} words and the items' sizes")
    if run.train.classes.number != SERVED.number:
        others = int((run.train.shards.labels < LABELS[0]).sum() + (run.train.shards.labels > LABELS[-1]).sum())
        say(f"auxiliary: {others} of the photos to train on hold another number of items than 1 to 5")
    if parameters.drop_path and not FAMILIES[parameters.backbone].has_drop_path:
        say(f"drop_path={parameters.drop_path} has no effect: {parameters.backbone} has no stochastic depth")


def write_artifact(run: Run, position: Position, data: str) -> None:
    """Write the five files of the artifact from the best epoch's averaged weights."""
    from steps.train.curve import training_curve  # both of these take a while to import
    from steps.train.export import export
    from steps.train.serving import settle

    parameters, folder, best = run.parameters, base_dir() / "model", position.best_epoch
    state = None if best is None else run.checkpoints.read_best(best)
    if state is None or best is None:
        raise JobError(f"the best weights are gone from {run.checkpoints.folder}: nothing else may write there")
    model = build_model(run)
    model.backbone.load_state_dict(state)
    facts = {
        "world_size": str(run.cluster.world),
        "precision": run.choice.format,
        "best_epoch": str(best + 1),
        "val_macro_f1": f"{position.best_macro_f1:.5f}",
    }
    spec = ModelSpec(
        backbone=parameters.backbone,
        image_size=parameters.image_size,
        class_labels=CLASS_LABELS,
        normalization=FAMILIES[parameters.backbone].normalization,
        provenance=provenance(parameters, data, facts),
    )
    difference = export(folder, model, spec, samples(run.validation))
    scores = settle(folder, spec, parameters.engine, run.validation, parameters.target_accuracy)
    with atomic_file(folder / "model.safetensors") as file:
        file.write(run.checkpoints.best_file(best))
    write_json(folder / "metrics.json", position.history)
    with atomic_file(folder / "training_curve.png") as file:
        file.write(training_curve(position.history, best + 1))
    say(in_words(scores.ask_below, scores.coverage, parameters.target_accuracy))
    say(
        f"kept epoch {best + 1} of {len(position.history)}: val_macro_f1 {position.best_macro_f1:.5f}, temperature "
        f"{scores.temperature:.3f}; ONNX Runtime and torch agree within {difference:.1e}"
    )


def samples(photos: Photos) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return some photos of a channel: uint8 [n, size, size, 3]."""
    return np.stack([photos.pixels(index, 0) for index in range(min(COMPARED, len(photos.shards)))])
