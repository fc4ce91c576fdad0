"""A tuning job: trials side by side, the best of them, and what is on record so that a later engine can go on."""

from __future__ import annotations

import math
import threading
import time
import zlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pipeline.local.context import Context, StepCall, StepResult, token
from pipeline.local.failures import StepError, StepStoppedError
from pipeline.local.jobs.log import Metrics
from pipeline.local.jobs.training import TrainingJob
from pipeline.local.store import Document
from pipeline.local.tuning.early_stopping import hopeless
from pipeline.local.tuning.record import TuningRecord, trial_request
from pipeline.local.tuning.search import Search


def run(context: Context, call: StepCall) -> StepResult:
    """Run a Tuning step's job. Raises StepError, StepStoppedError."""
    for member in ("TrainingJobDefinitions", "WarmStartConfig"):
        if call.arguments.get(member):
            raise StepError(f"ClientError: tuning jobs with {member} do not run on this machine")
    record = TuningRecord.open(context, call)
    context.store.update(
        "step", call.id, Metadata={"TuningJob": {"Arn": record.arn}}, _job=record.name, StepStatus="Executing"
    )
    try:
        _Trials(context, call, record).run()
        description = record.complete()
    except StepStoppedError:
        record.end("Stopped")
        raise
    except Exception as error:
        record.end("Failed", FailureReason=str(error)[:1024])
        raise
    best = description["BestTrainingJob"]["TrainingJobName"]
    model = (context.store.get("training-job", best) or {})["ModelArtifacts"]["S3ModelArtifacts"]
    return StepResult(description, (model,))


class _Trials:
    """The trials of one tuning job, as many side by side as it allows."""

    def __init__(self, context: Context, call: StepCall, record: TuningRecord) -> None:
        self._context = context
        self._record = record
        self._config: Mapping[str, Any] = call.arguments["HyperParameterTuningJobConfig"]
        self._definition: Mapping[str, Any] = call.arguments["TrainingJobDefinition"]
        limits = self._config["ResourceLimits"]
        done = record.finished()
        ranges = self._config.get("ParameterRanges") or self._definition.get("HyperParameterRanges", {})
        limit = limits.get("MaxNumberOfTrainingJobs")
        # A search that goes on must not draw again what it drew before it was cut off, unfinished trials included.
        seed = int(self._config.get("RandomSeed", zlib.crc32(call.name.encode()))) + len(record.trials())
        self._search = Search(self._config, ranges, limit or 1, seed)
        self._limit = min(n for n in (limit, self._search.size) if n is not None)
        self._left = self._limit - len(done)
        self._parallel = max(1, min(limits["MaxParallelTrainingJobs"], self._left))
        self._deadline = time.monotonic() + limits.get("MaxRuntimeInSeconds", math.inf)
        self._maximize = self._config["HyperParameterTuningJobObjective"]["Type"] == "Maximize"
        self._auto_stop = self._config.get("TrainingJobEarlyStoppingType") == "Auto"
        self._lock = threading.Lock()
        self._histories: list[list[float]] = []
        self._resume(done)

    def _resume(self, done: list[Document]) -> None:
        for trial in done:
            self._search.restore(trial["_tuned"], trial.get("_objective"))
            if trial["TrainingJobStatus"] == "Completed":
                self._histories.append(trial.get("_values", []))
        for trial in self._record.unfinished():
            self._search.again(trial["_tuned"])

    def run(self) -> None:
        """Run trials until there are enough of them. Raises StepStoppedError."""
        with ThreadPoolExecutor(self._parallel, "trial") as pool:
            workers = [pool.submit(self._worker) for _ in range(self._parallel)]
        for worker in workers:
            worker.result()
        if self._context.stop.is_set():
            raise StepStoppedError

    def _worker(self) -> None:
        while not self._context.stop.is_set() and time.monotonic() < self._deadline:
            with self._lock:
                if self._left <= 0:
                    return
                self._left -= 1
                number = self._limit - self._left
            trial, tuned = self._search.ask()
            self._search.tell(trial, self._run_trial(number, tuned))

    def _run_trial(self, number: int, tuned: dict[str, str]) -> float | None:
        """Run one trial; return its objective, or None where it has none."""
        record, objective = self._record, self._record.objective
        job = TrainingJob.create(
            self._context,
            f"{record.name}-{number:03d}-{token(8)}",
            trial_request(self._definition, tuned, objective),
            parent=record.name,
            width=self._parallel,
            _tuned=tuned,
            TuningJobArn=record.arn,
        )
        record.refresh()

        def give_up() -> bool:
            return time.monotonic() > self._deadline or self._behind(job.metrics)

        job.give_up = give_up
        failed = True
        try:
            job.run(started=lambda: None, measured=lambda _: None)
            failed = False
        except StepStoppedError:
            if self._context.stop.is_set():
                raise
            failed = False  # stopped early: what it reached still teaches the search
        except StepError:
            pass  # one trial's failure is on its own record; the others go on
        values = job.metrics.values.get(objective, [])
        value = values[-1] if values and not failed and math.isfinite(values[-1]) else None
        record.trial_ended(job.job.name, value, values)
        with self._lock:
            self._histories.append(values)
        return value

    def _behind(self, metrics: Metrics) -> bool:
        if not self._auto_stop:
            return False
        values = metrics.values.get(self._record.objective, [])
        with self._lock:
            return hopeless(values, self._histories, maximize=self._maximize)
