"""The training loop: epochs of steps, validated on the averaged weights, stopped and resumed at any step."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn

from steps.common.job import JobError
from steps.train import checkpoint
from steps.train.backbones import PhotoClassifier, freeze_batchnorm
from steps.train.checkpoint import Checkpoints, Position
from steps.train.data import Batch, Photos, batches
from steps.train.ddp import Cluster, weights_digest
from steps.train.ema import Average
from steps.train.hyperparameters import Hyperparameters
from steps.train.loss import blend, class_weights, loss_sum, soft_targets
from steps.train.precision import Choice
from steps.train.progress import Meter, epoch_line, say
from steps.train.records import Records
from steps.train.sampler import Indices, Plan
from steps.train.schedule import learning_rate
from steps.train.sharpness import CLIMBERS, uphill
from steps.train.sizes import side
from steps.train.validation import Scores, validate


class StoppedError(Exception):
    """The job was asked to stop: the step is done and its checkpoint written."""


@dataclass(frozen=True)
class Run:
    """Everything that a training needs and does not change."""

    parameters: Hyperparameters
    train: Photos
    validation: Photos
    plan: Plan
    cluster: Cluster
    choice: Choice
    checkpoints: Checkpoints
    pool: ThreadPoolExecutor
    stop: Callable[[], bool]
    records: Records | None = None
    """What the items' records teach beside the count."""
    answers: torch.Tensor | None = None
    """What the teachers say of each photo, of `teachers.ask`."""


class Trainer:
    """A training and its state. Every method is called by all ranks alike."""

    def __init__(self, run: Run, model: PhotoClassifier) -> None:
        self._run, self._model = run, model
        parameters, device = run.parameters, run.cluster.device
        self._forward = run.cluster.wrap(model)
        self._average = Average(model, parameters.ema_decay)
        self._optimizer = optimizer(model, parameters.weight_decay)
        self._scaler = torch.amp.GradScaler(device.type, enabled=run.choice.format == "fp16")
        self._targets = targets(run).to(device)
        self._weights = class_weights(run.train.targets, parameters.class_balance, run.train.classes.number).to(device)
        self._loss = torch.zeros((), dtype=torch.float64, device=device)  # this rank's part of the epoch's
        self._seen: list[Indices] = []
        self.position = Position()

    def resume(self) -> None:
        """Go on from the latest checkpoint that rank 0 finds, if any: the other hosts need none."""
        cluster = self._run.cluster
        content = cluster.broadcast_bytes(self._run.checkpoints.read() if cluster.leads else None)
        if content is None:
            if cluster.leads and self._run.checkpoints.left():
                say(f"the checkpoint in {self._run.checkpoints.folder} is not whole: training starts over")
            return
        tensors, self.position = checkpoint.parse(content)
        checkpoint.unpack(tensors, self._model, self._average.module, self._optimizer)
        self._loss.fill_(self.position.loss_sum if cluster.leads else 0.0)
        if self.position.loss_scale is not None:
            kept = {"scale": self.position.loss_scale, "_growth_tracker": self.position.steps_at_scale}
            self._scaler.load_state_dict({**self._scaler.state_dict(), **kept})
        if cluster.leads:
            say(f"resumed at epoch {self.position.epoch + 1}, step {self.position.step} of {self._run.plan.steps}")
            if (
                self._finished()
            ):  # no epoch is left to print what a new job's metrics, a trial's objective, are read from
                say(epoch_line(self.position.history[-1]))

    def fit(self) -> Position:
        """Train until the last epoch or until patience is over.

        Raises:
            StoppedError: the run was asked to stop.
            JobError: the loss is no number any more.
        """
        while not self._finished():
            rate = self._train_epoch()
            self._end_epoch(rate)
        return self.position

    def _finished(self) -> bool:
        """Return whether the last epoch is done or patience is over."""
        patience, best = self._run.parameters.patience, self.position.best_epoch
        impatient = bool(patience) and best is not None and self.position.epoch - 1 - best >= patience
        return impatient or self.position.epoch >= self._run.parameters.epochs

    def _train_epoch(self) -> float:
        """Do the epoch's remaining steps; return the photos a second over all ranks."""
        run, position = self._run, self.position
        self._model.train()
        if run.parameters.freeze_batchnorm:
            freeze_batchnorm(self._model)
        meter = Meter(
            position.epoch,
            run.parameters.epochs,
            position.step,
            run.plan.steps,
            run.plan.batch,
            quiet=not run.cluster.leads,
        )
        todo = run.plan.batches(position.epoch, run.cluster.rank, position.step)
        parameters = run.parameters
        size = side(position.epoch, parameters.epochs, parameters.start_size, run.train.size)
        for batch in batches(replace(run.train, size=size), todo, position.epoch, run.pool):
            loss = self._step(batch, position.epoch * run.plan.steps + position.step)
            position.step += 1
            self._after_step()
            if meter.due():
                meter.tell(position.step, float(loss) / len(batch.indices))
        return meter.rate(position.step)

    def _step(self, batch: Batch, number: int) -> torch.Tensor:
        """Do one step; return this rank's loss, summed over its photos."""
        run = self._run
        parameters, plan, cluster = run.parameters, run.plan, run.cluster
        seed_step(parameters.seed, number, cluster)
        warmup = round(parameters.warmup_epochs * plan.steps)
        steps = parameters.epochs * plan.steps
        rate = learning_rate(number, steps, warmup, parameters.learning_rate, parameters.final_rate)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        with uphill(self._model, parameters.sam_rho, partial(self._slope, batch)):
            total, others = self._count(batch)
            whole = total
            if run.records is not None:
                whole = total + parameters.record_weight * run.records.loss_sum(others, batch.indices)
            # Gradients are averaged over the ranks: this makes them those of the mean over the global batch.
            self._scaler.scale(whole * (cluster.world / plan.batch)).backward()  # type: ignore[no-untyped-call]
        if parameters.clip_norm:
            self._scaler.unscale_(self._optimizer)
            nn.utils.clip_grad_norm_(self._model.parameters(), parameters.clip_norm)
        self._scaler.step(self._optimizer)
        self._scaler.update()
        self._optimizer.zero_grad()
        self._average.update(number)
        self._loss += total.detach()
        self._seen.append(batch.indices)
        return total.detach()

    def _count(self, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the counts' loss, summed over the batch's photos, and the head's outputs beside the counts'."""
        run, device = self._run, self._run.cluster.device
        with autocast(run):
            outputs = self._forward(batch.photos.to(device, non_blocking=True))
        classes = run.train.classes.number
        chosen = torch.from_numpy(batch.indices).to(device)
        weights = self._weights[batch.targets.to(device)]
        return loss_sum(outputs[:, :classes], self._targets[chosen], weights), outputs[:, classes:]

    def _slope(self, batch: Batch) -> None:
        """Compute this rank's own gradients of the counts' loss, on a few of its photos."""
        with self._run.cluster.apart(self._forward):
            self._count(batch.first(CLIMBERS))[0].backward()  # type: ignore[no-untyped-call]

    def _after_step(self) -> None:
        """Stop or write a checkpoint when it is time; all ranks agree on it at each step."""
        run = self._run
        if run.cluster.any(run.stop()):
            self._save()
            run.cluster.barrier()  # rank 0 is done writing before torchrun sees the first rank leave
            raise StoppedError
        done = self.position.epoch * run.plan.steps + self.position.step
        if run.parameters.checkpoint_steps and done % run.parameters.checkpoint_steps == 0:
            self._save()

    def _end_epoch(self, rate: float) -> None:
        run, position = self._run, self.position
        self._save()  # validating may take longer than a machine that is taken away leaves
        run.cluster.copy_buffers(self._average.module)
        self._check_ranks()
        with autocast(run):
            scores = validate(
                self._average.module,
                run.validation,
                run.plan.batch,
                run.cluster,
                run.pool,
                run.parameters.target_accuracy,
            )
        photos = run.plan.steps * run.plan.batch
        train_loss = float(run.cluster.sum(self._loss)) / photos
        self._record(train_loss, scores, rate)
        if run.cluster.leads:
            say(epoch_line(position.history[-1]))
        position.epoch, position.step = position.epoch + 1, 0
        self._loss.zero_()
        self._seen = []
        self._save()

    def _record(self, train_loss: float, scores: Scores, rate: float) -> None:
        """Add the epoch to the history; keep its weights where it is the best, by loss.

        Of 700 photos macro-F1 moves by two points by chance, and its best of ten epochs is an epoch of luck: by it a
        fourth epoch with a loss of 1.344 once won over a tenth with 1.28.
        """
        run, position = self._run, self.position
        if not (math.isfinite(train_loss) and math.isfinite(scores.loss)):
            raise JobError(f"the loss is no number in epoch {position.epoch + 1}: lower learning_rate or clip_norm")
        if position.best_epoch is None or scores.loss < position.best_loss:
            position.best_epoch = position.epoch
            position.best_macro_f1, position.best_loss = scores.macro_f1, scores.loss
            if run.cluster.leads:
                run.checkpoints.save_best(self._average.module.backbone.state_dict(), position.epoch)  # type: ignore[union-attr]
        served = {"temperature", "class_bias", "ask_below"}  # fitted once more, to the engine that serves
        validation = {f"val_{name}": value for name, value in asdict(scores).items() if name not in served}
        position.history.append(
            {"epoch": position.epoch + 1, "train_loss": train_loss, **validation}
            | {"images_per_second": rate}
            | {"best_val_loss": position.best_loss, "best_val_macro_f1": position.best_macro_f1}
        )

    def _check_ranks(self) -> None:
        """Prove after each epoch that all ranks hold the same weights, and say what each of them saw."""
        cluster = self._run.cluster
        if cluster.world == 1:
            return
        digest = weights_digest(self._average.module)
        seen = np.sort(np.concatenate(self._seen)) if self._seen else np.zeros(0, np.int64)
        ids = photos_digest(seen)
        say(f"rank {cluster.rank} of {cluster.world}: saw {len(seen)} photos ({ids}), weights {digest.hex()[:16]}")
        if not cluster.same_everywhere(digest):
            raise RuntimeError("the ranks hold different weights")

    def _save(self) -> None:
        """Write a checkpoint from rank 0. All ranks take part: the loss so far is added up over them."""
        run, position = self._run, self.position
        position.loss_sum = float(run.cluster.sum(self._loss))
        if not run.cluster.leads:
            return
        if run.choice.format == "fp16":
            scaler = self._scaler.state_dict()
            position.loss_scale, position.steps_at_scale = scaler["scale"], scaler["_growth_tracker"]
        run.checkpoints.save(checkpoint.pack(self._model, self._average.module, self._optimizer), position)


def targets(run: Run) -> torch.Tensor:
    """Return what each photo's count is taught as: float32 [photos, classes], rows add up to 1."""
    parameters, data = run.parameters, run.train
    soft = soft_targets(parameters.ordinal_sigma, data.classes.number)[torch.from_numpy(data.targets)]
    return soft if run.answers is None else blend(soft, run.answers, parameters.teacher_weight)


def optimizer(model: nn.Module, weight_decay: float) -> torch.optim.Optimizer:
    """Return AdamW (Loshchilov and Hutter, 2019), which decays matrices and kernels, not norms, scales and biases."""
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    # ConvNeXt's layer scales are vectors, in the shape [channels, 1, 1].
    vectors = [each.numel() == max(each.shape, default=1) for each in parameters]
    groups: list[dict[str, Any]] = [
        {"params": [each for each, vector in zip(parameters, vectors, strict=True) if not vector]},
        {"params": [each for each, vector in zip(parameters, vectors, strict=True) if vector], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, weight_decay=weight_decay, fused=True)


def autocast(run: Run) -> torch.autocast:
    """Return the context of the chosen precision."""
    return torch.autocast(run.cluster.device.type, run.choice.dtype, enabled=run.choice.format != "fp32")


def seed_step(seed: int, number: int, cluster: Cluster) -> None:
    """Set the random state of a step (dropout, stochastic depth) from its number: resuming restores it by this."""
    value = int(np.random.SeedSequence([seed, number, cluster.rank]).generate_state(1)[0])
    torch.default_generator.manual_seed(value)
    if cluster.device.type == "cuda":
        torch.cuda.manual_seed(value)


def photos_digest(indices: Indices) -> str:
    """Return 16 hexadecimal digits that tell a set of photos, by their sorted indices in the training set."""
    import hashlib

    return hashlib.sha256(indices.astype("<i8").tobytes()).hexdigest()[:16]
