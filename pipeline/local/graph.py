"""A compiled definition as a graph of steps: what waits for what, and which branch of which condition it is in."""

from __future__ import annotations

import graphlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.errors import UserError
from pipeline.local.expressions import ExpressionError, gets, parse_path

STEP_TYPES = frozenset({"Processing", "Training", "Tuning", "Condition", "Fail", "Lambda", "RegisterModel"})
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
Outcome = Literal["Succeeded", "Failed", "Stopped", "Skipped"]

# Which outcomes of the step waited for let a step with this trigger start.
_TRIGGERS: dict[str, frozenset[str]] = {
    "Completed": frozenset({"Succeeded"}),
    "Failed": frozenset({"Failed"}),
    "Stopped": frozenset({"Stopped"}),
    "Any": frozenset({"Succeeded", "Failed", "Stopped"}),
}


@dataclass(frozen=True)
class Step:
    """A step of the definition. `needs` maps the steps it waits for to their trigger."""

    name: str
    type: str
    body: Mapping[str, Any]
    needs: Mapping[str, str]
    branch: tuple[str, bool] | None  # the condition step around it, and the outcome it is for

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The step's arguments, expressions and all."""
        arguments: Mapping[str, Any] = self.body.get("Arguments", {})
        return arguments


@dataclass(frozen=True)
class Graph:
    """Steps by name in the definition's order, nested ones included, and the declared parameters."""

    steps: Mapping[str, Step]
    parameters: list[Mapping[str, Any]]

    def verdict(
        self, step: Step, outcomes: Mapping[str, Outcome], conditions: Mapping[str, bool]
    ) -> Literal["wait", "start", "skip"]:
        """Say what to do with a step that has not started, from how the others ended.

        A step is skipped when its branch is not taken, when a step it needs was skipped, or when one ended in a way
        that its trigger does not allow.
        """
        ended = {name: outcomes[name] for name in step.needs if name in outcomes}
        if any(outcome not in _TRIGGERS[step.needs[name]] for name, outcome in ended.items()):
            return "skip"
        if step.branch is not None and conditions.get(step.branch[0], step.branch[1]) != step.branch[1]:
            return "skip"
        return "start" if len(ended) == len(step.needs) else "wait"


def parse(text: str) -> Graph:
    """Read a definition. Raises UserError: not JSON, a step type not run here, unknown steps, a cycle."""
    try:
        definition = json.loads(text)
        steps = {}
        for step in _steps(definition["Steps"], None):
            if step.name in steps:
                raise UserError(f"the definition has two steps named {step.name}")
            steps[step.name] = step
        parameters = list(definition.get("Parameters", []))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"not a pipeline definition: {type(error).__name__}: {error}") from None
    except ExpressionError as error:
        raise UserError(str(error)) from None
    _check(steps)
    return Graph(steps, parameters)


def _steps(bodies: list[Mapping[str, Any]], branch: tuple[str, bool] | None) -> Iterator[Step]:
    for body in bodies:
        yield Step(body["Name"], body["Type"], body, _needs(body, branch), branch)
        if body["Type"] == "Condition":
            yield from _steps(body["Arguments"].get("IfSteps", []), (body["Name"], True))
            yield from _steps(body["Arguments"].get("ElseSteps", []), (body["Name"], False))


def _needs(body: Mapping[str, Any], branch: tuple[str, bool] | None) -> dict[str, str]:
    own = {**body, "Arguments": {k: v for k, v in body["Arguments"].items() if k not in {"IfSteps", "ElseSteps"}}}
    needs = {}
    for text in gets(own):
        root, *rest = parse_path(text)
        if root == "Steps" and rest:
            needs[str(rest[0])] = "Completed"
    for entry in body.get("DependsOn", []):
        name, trigger = (entry, "Completed") if isinstance(entry, str) else (entry["Step"], entry["Trigger"])
        needs[name] = trigger
    if branch is not None:
        needs[branch[0]] = "Completed"
    return needs


def _check(steps: Mapping[str, Step]) -> None:
    for step in steps.values():
        if not _NAME.fullmatch(step.name):  # folders are named by it
            raise UserError(f"{step.name!r} cannot be a step's name: it takes 1 to 64 letters, digits, - and _")
        if step.type not in STEP_TYPES:
            raise UserError(f"step {step.name}: steps of type {step.type} do not run on this machine")
        for name, trigger in step.needs.items():
            if name not in steps:
                raise UserError(f"step {step.name} refers to step {name}, which the definition does not have")
            if trigger not in _TRIGGERS:
                raise UserError(f"step {step.name}: {trigger} is not a trigger")
    try:
        graphlib.TopologicalSorter({name: set(step.needs) for name, step in steps.items()}).prepare()
    except graphlib.CycleError as error:
        raise UserError(f"steps wait for each other: {' -> '.join(error.args[1])}") from None
