"""References: to parameters, to the execution, to what steps leave; and the graph that they draw."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any

from pipeline.validation.document import Document, Step, objects
from pipeline.validation.expressions import EXECUTION, Reference, check_expressions
from pipeline.validation.faults import Fault, shown
from pipeline.validation.properties import RESPONSES, follow, names, outputs


def check_references(definition: dict[str, Any], document: Document) -> Iterator[Fault]:
    """Yield malformed expressions, references to what is not there, and cycles."""
    steps = document.by_name
    edges: dict[str, dict[str, str]] = {name: {} for name in steps}
    for key in ("PipelineExperimentConfig", "MlflowConfig"):
        for found in check_expressions(definition.get(key), key):
            yield from [found] if isinstance(found, Fault) else _check(found, document)
    for step in document.steps:
        if step.parent in steps:
            edges[step.name][step.parent] = step.path
        yield from _dependencies(step, steps, edges[step.name])
        yield from _property_file_outputs(step)
        for found in check_expressions(step.without_branches, step.path):
            if isinstance(found, Fault):
                yield found
                continue
            yield from _check(found, document)
            if found.root == "Steps" and found.parts[0] in steps:
                edges[step.name].setdefault(str(found.parts[0]), found.path)
    yield from _cycles(edges)


def _dependencies(step: Step, steps: dict[str, Step], edges: dict[str, str]) -> Iterator[Fault]:
    depends_on = step.body.get("DependsOn")
    for index, item in enumerate(depends_on) if isinstance(depends_on, list) else ():
        name = item.get("Step") if isinstance(item, dict) else item
        if not isinstance(name, str):
            continue
        path = f"{step.path}.DependsOn[{index}]"
        if name in steps:
            edges.setdefault(name, path)
        else:
            yield Fault(path, f"no step {shown(name)}")


def _property_file_outputs(step: Step) -> Iterator[Fault]:
    if step.type != "Processing":
        return
    for index, file in enumerate(objects(step.body.get("PropertyFiles"))):
        if isinstance(file.get("OutputName"), str) and file["OutputName"] not in outputs(step):
            yield Fault(
                f"{step.path}.PropertyFiles[{index}].OutputName",
                f"{step.name} has no output {shown(file['OutputName'])}",
            )


def _check(reference: Reference, document: Document) -> Iterator[Fault]:
    first = reference.parts[0]
    if reference.root == "Parameters":
        if reference.text.removeprefix("Parameters.") not in document.parameters:
            yield Fault(reference.path, f"no parameter {shown(first)}")
    elif reference.root == "Execution":
        if first not in EXECUTION or len(reference.parts) > 1:
            yield Fault(reference.path, f"an execution has no {shown(first)}; it has {', '.join(EXECUTION)}")
    elif reference.root == "Steps":
        step = document.by_name.get(str(first))
        if step is None:
            yield Fault(reference.path, f"no step {shown(first)}")
        else:
            yield from _check_output(reference, step)


def _check_output(reference: Reference, step: Step) -> Iterator[Fault]:
    parts = reference.parts[1:]
    if step.type == "Fail":
        yield Fault(reference.path, f"{step.name} is a Fail step: it leaves nothing to refer to")
    elif parts[:1] == ("PropertyFiles",):
        if parts[1:] not in {(name,) for name in names(step.body.get("PropertyFiles"), "PropertyFileName")}:
            yield Fault(reference.path, f"{step.name} has no property file {shown('.'.join(map(str, parts[1:])))}")
    elif step.type in {"Lambda", "Callback"}:
        found = names(step.body.get("OutputParameters"), "OutputName")
        if len(parts) != 2 or parts[0] != "OutputParameters" or parts[1] not in found:
            yield Fault(reference.path, f"{step.name} has no such output; it has {', '.join(sorted(found)) or 'none'}")
    elif step.type == "Condition":
        if parts != ("Outcome",):
            yield Fault(reference.path, f"{step.name} is a Condition step: it leaves Outcome only")
    elif step.type in RESPONSES:
        yield from _check_shape(reference, step, parts)


def _check_shape(reference: Reference, step: Step, parts: tuple[str | int, ...]) -> Iterator[Fault]:
    if not parts:
        yield Fault(reference.path, f"names nothing that {step.name} leaves")
        return
    missing = follow(step, parts)
    if isinstance(missing, str):
        yield Fault(reference.path, f"{step.name} leaves no {missing}")


def _cycles(edges: dict[str, dict[str, str]]) -> Iterator[Fault]:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]  # each is waited for by the next
        order = list(edges)
        # Definitions are written in the order of the work: the step that waits for a later one is the odd one out.
        waiting, awaited = next(
            (step, before) for before, step in pairwise(circle) if order.index(before) >= order.index(step)
        )
        yield Fault(edges[waiting][awaited], f"steps wait for each other: {' -> '.join(reversed(circle))}")
