"""The engine: runs one execution of a pipeline to its end. `python -m pipeline.local.engine <execution ARN>`.

Steps start as soon as what they need has ended, side by side as cores and ParallelismConfiguration allow. When a step
fails, what runs beside it is let finish (its result serves a resume), nothing new starts but steps whose trigger asks
for a failure, and the execution ends as Failed. On an execution that failed or was stopped, or whose engine was
killed, the engine keeps the steps that succeeded and runs the others again.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pipeline.errors import UserError
from pipeline.local import steps
from pipeline.local.context import Context
from pipeline.local.expressions import ExpressionError, Scope, typed_parameters
from pipeline.local.failures import EXECUTION_REASON
from pipeline.local.graph import Graph, Outcome, Step, parse
from pipeline.local.home import Home
from pipeline.local.lock import engine_lock
from pipeline.local.recovery import recover
from pipeline.local.store import Document

_POLL_SECONDS = 0.2  # between looks at whether the execution is to stop


def run_execution(home: Home, arn: str, **changes: Any) -> str:  # noqa: ANN401
    """Run an execution to its end and return its status: Succeeded, Failed or Stopped.

    Args:
        home: the local account.
        arn: the execution, on record in the store.
        changes: members of `Context` to replace.

    Raises:
        UserError: there is no such execution, or another engine is at work on it.
    """
    context = Context.open(home, arn, **changes)
    with engine_lock(home, arn):
        execution = context.store.get("execution", arn)
        if execution is None:
            raise UserError(f"there is no execution {arn}")
        status: str = execution["PipelineExecutionStatus"]
        if status == "Succeeded":
            return status
        recover(context)
        return _Engine(context, execution).run()


class _Engine:
    """The scheduler of one execution."""

    def __init__(self, context: Context, execution: Document) -> None:
        self._context = context
        self._pipeline: str = execution["PipelineArn"].rsplit("/", 1)[1]
        self._execution = execution
        self._limit = (execution.get("ParallelismConfiguration") or {}).get("MaxParallelExecutionSteps", sys.maxsize)
        self._outcomes: dict[str, Outcome] = {}
        self._conditions: dict[str, bool] = {}
        self._running: set[str] = set()
        self._stopping = False
        self._ended: queue.SimpleQueue[tuple[str, Outcome, bool | None]] = queue.SimpleQueue()

    def run(self) -> str:
        """Run what has not succeeded yet."""
        self._begin()
        try:
            graph = parse(self._execution["_definition"])
            scope = self._scope(graph)
        except (UserError, ExpressionError) as error:
            return self._end("Failed", f"ClientError: {error}")
        self._keep_finished(graph)
        try:
            self._loop(graph, scope)
        except BaseException:
            self._context.stop.set()  # the jobs must not outlive the scheduler
            raise
        failed = next((name for name, outcome in self._outcomes.items() if outcome == "Failed"), None)
        if failed is not None:
            reason = (self._step_document(failed) or {}).get("FailureReason", "")
            return self._end("Failed", f"Step {failed} failed: {reason}")
        return self._end("Stopped" if self._context.stop.is_set() else "Succeeded")

    def _begin(self) -> None:
        with self._context.store.transaction() as transaction:
            arn = self._context.execution_arn
            status = (transaction.get("execution", arn) or {})["PipelineExecutionStatus"]
            if status == "Stopping":
                self._context.stop.set()
            else:
                status = "Executing"
            changes = {"PipelineExecutionStatus": status, "FailureReason": None, "_engine_pid": os.getpid()}
            transaction.update("execution", arn, **changes, LastModifiedTime=time.time())

    def _end(self, status: str, reason: str | None = None) -> str:
        changes: dict[str, Any] = {} if reason is None else {"FailureReason": reason[:EXECUTION_REASON]}
        self._context.store.update(
            "execution",
            self._context.execution_arn,
            PipelineExecutionStatus=status,
            LastModifiedTime=time.time(),
            _engine_pid=None,
            **changes,
        )
        return status

    def _scope(self, graph: Graph) -> Scope:
        arn, started = self._context.execution_arn, self._execution["CreationTime"]
        bodies: Mapping[str, Mapping[str, Any]] = {name: step.body for name, step in graph.steps.items()}
        return Scope(
            parameters=typed_parameters(graph.parameters, self._execution.get("_parameters", {})),
            execution={
                "PipelineName": self._pipeline,
                "PipelineArn": self._execution["PipelineArn"],
                "PipelineExecutionId": self._context.execution_id,
                "PipelineExecutionArn": arn,
                "StartDateTime": datetime.fromtimestamp(started, UTC).isoformat(),
                "CurrentDateTime": datetime.now(UTC).isoformat(),
            },
            properties=self._properties,
            property_file=partial(steps.property_file, self._context, bodies),
            json_object=partial(steps.json_object, self._context),
        )

    def _properties(self, step: str) -> Mapping[str, Any]:
        properties: Mapping[str, Any] | None = (self._step_document(step) or {}).get("_properties")
        if properties is None:
            raise ExpressionError(f"step {step} has no properties: it did not run")
        return properties

    def _step_document(self, step: str) -> Document | None:
        return self._context.store.get("step", f"{self._context.execution_arn}/{step}")

    def _keep_finished(self, graph: Graph) -> None:
        for step in graph.steps.values():
            document = self._step_document(step.name)
            if document is None:
                continue
            if document["StepStatus"] == "Succeeded":
                self._outcomes[step.name] = "Succeeded"
                if step.type == "Condition":
                    self._conditions[step.name] = document["Metadata"]["Condition"]["Outcome"] == "True"
            elif not self._context.stop.is_set():
                self._context.store.delete("step", f"{self._context.execution_arn}/{step.name}")

    def _loop(self, graph: Graph, scope: Scope) -> None:
        while True:
            self._look_for_stop()
            for step in (ready := self._ready(graph)):
                self._start(step, scope, width=len(self._running) + len(ready))
            if not self._running:
                return
            self._collect()

    def _ready(self, graph: Graph) -> list[Step]:
        """Return the steps to start now, and take note of those that will never start."""
        ready: list[Step] = []
        changed = True
        while changed:  # a step skipped makes others skipped
            ready, changed = [], False
            for step in graph.steps.values():
                if step.name in self._outcomes or step.name in self._running:
                    continue
                verdict = graph.verdict(step, self._outcomes, self._conditions)
                if verdict == "skip":
                    self._outcomes[step.name] = "Skipped"
                    changed = True
                elif verdict == "start" and self._may_start(step):
                    ready.append(step)
        return ready[: max(0, self._limit - len(self._running))]

    def _may_start(self, step: Step) -> bool:
        if self._context.stop.is_set():
            return False
        return "Failed" not in self._outcomes.values() or any(t in {"Failed", "Any"} for t in step.needs.values())

    def _start(self, step: Step, scope: Scope, width: int) -> None:
        run = steps.StepRun(self._context, scope, self._pipeline, step, max(1, width))
        self._running.add(step.name)

        def target() -> None:
            outcome: Outcome = "Failed"
            try:
                outcome = run.run()
            finally:  # whatever happens, the scheduler must not wait for ever
                self._ended.put((step.name, outcome, run.condition))

        threading.Thread(target=target, name=step.name).start()

    def _collect(self) -> None:
        try:
            name, outcome, condition = self._ended.get(timeout=_POLL_SECONDS)
        except queue.Empty:
            return
        self._running.remove(name)
        self._outcomes[name] = outcome
        if condition is not None:
            self._conditions[name] = condition

    def _look_for_stop(self) -> None:
        if self._stopping:
            return
        arn, store = self._context.execution_arn, self._context.store
        if (store.get("execution", arn) or {}).get("PipelineExecutionStatus") == "Stopping":
            self._context.stop.set()
        elif self._context.stop.is_set():  # by a signal to the engine
            store.update("execution", arn, PipelineExecutionStatus="Stopping", LastModifiedTime=time.time())
        if self._context.stop.is_set():
            self._stopping = True
            self._mark_stopping()

    def _mark_stopping(self) -> None:
        with self._context.store.transaction() as transaction:
            for name in self._running:
                id = f"{self._context.execution_arn}/{name}"
                step = transaction.get("step", id)
                if step is not None and step["StepStatus"] in {"Starting", "Executing"}:
                    transaction.update("step", id, StepStatus="Stopping")


def main(arn: str) -> int:
    """Run an execution of the home that the environment names; 0 where it succeeded. Ctrl-C and SIGTERM stop it."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        return 0 if run_execution(Home.find(), arn, stop=stop) == "Succeeded" else 1
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
