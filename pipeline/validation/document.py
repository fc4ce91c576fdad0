"""A definition opened: its parameters and all its steps, wherever they lie, each with its path in the JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

# Members of a step's arguments that hold steps themselves.
BRANCHES = ("IfSteps", "ElseSteps", "ForEachBody")


@dataclass(frozen=True)
class Step:
    """A step, its path, and the step whose branch it is in."""

    body: dict[str, Any]
    path: str
    parent: str | None

    @property
    def name(self) -> str:
        """The step's name, or an empty one."""
        name = self.body.get("Name")
        return name if isinstance(name, str) else ""

    @property
    def type(self) -> str:
        """The step's type, or an empty one."""
        kind = self.body.get("Type")
        return kind if isinstance(kind, str) else ""

    @property
    def arguments(self) -> dict[str, Any]:
        """The step's arguments, without the steps in its branches."""
        arguments = self.body.get("Arguments")
        own = arguments if isinstance(arguments, dict) else {}
        return {key: value for key, value in own.items() if key not in BRANCHES}

    @property
    def without_branches(self) -> dict[str, Any]:
        """The whole step, without the steps in its branches."""
        return {**self.body, "Arguments": self.arguments} if isinstance(self.body.get("Arguments"), dict) else self.body


@dataclass(frozen=True)
class Document:
    """What of a definition others refer to, as far as it is well-formed."""

    parameters: dict[str, dict[str, Any]]
    steps: list[Step]

    @property
    def by_name(self) -> dict[str, Step]:
        """Steps by name."""
        return {step.name: step for step in self.steps}


def open_document(definition: dict[str, Any]) -> Document:
    """Collect parameters and steps; what is malformed is left out, for the grammar to name."""
    parameters = {
        parameter["Name"]: parameter
        for parameter in objects(definition.get("Parameters"))
        if isinstance(parameter.get("Name"), str)
    }
    return Document(parameters, list(_steps(definition.get("Steps"), "Steps", None)))


def objects(value: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """Return the objects in a list; nothing for what is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _steps(value: Any, path: str, parent: str | None) -> Iterator[Step]:  # noqa: ANN401
    for index, body in enumerate(value) if isinstance(value, list) else ():
        if not isinstance(body, dict):
            continue
        step = Step(body, f"{path}[{index}]", parent)
        yield step
        arguments = body.get("Arguments")
        if isinstance(arguments, dict):
            for branch in BRANCHES:
                yield from _steps(arguments.get(branch), f"{step.path}.Arguments.{branch}", step.name)
